"""Before you vote: your own year at every share, beside what it does to all."""
