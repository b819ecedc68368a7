"""Solidarity: a fund that pays where a card failed, and circles whose members give to the sick."""
