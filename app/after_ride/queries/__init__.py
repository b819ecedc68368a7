"""Statements of what happens after a ride."""
