"""Every statement of the payouts' room."""
