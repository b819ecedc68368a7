"""Statements: what driving brought and cost, receipts of rides, and a driver's year."""
