"""Drivers at work: shifts, live positions and their limits."""
