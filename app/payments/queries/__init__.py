"""Every statement of payments: what is owed, what is sent, cards, and clients."""
