"""The member's own client of a vote: keys, credentials, casting and checking."""
