"""Surplus: a period is closed, what is left over is divided as voted, and comes back to members."""
