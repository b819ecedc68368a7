"""Open votes, by name, in which a voice can be lent."""
