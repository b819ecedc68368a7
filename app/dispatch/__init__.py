"""Shell of matching: gather, solve, offer, accept, explain."""
