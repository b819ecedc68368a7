"""Every statement of solidarity; journals are posted by the ledger."""
