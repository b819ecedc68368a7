"""Use cases of what happens after a ride."""
