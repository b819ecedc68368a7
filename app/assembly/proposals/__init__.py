"""Proposals: what members put to the vote, from the first draft until its terms are frozen."""
