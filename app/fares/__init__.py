"""Tariffs, quotes and what a ride costs."""
