"""Reciprocity: members of sister cooperatives ride with each other, and the books agree."""
