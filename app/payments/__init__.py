"""How rides are paid: by card behind a port, in cash, or on a client's account."""
