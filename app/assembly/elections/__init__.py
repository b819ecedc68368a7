"""Elections: frozen terms, issuers, the count, and how its result takes effect."""
