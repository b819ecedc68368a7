"""Guests: people for whom a dispatcher books by telephone."""
