"""Payouts: what drivers earned leaves for their bank, in batches that two people release."""
