"""Loops with a pace: each worker is a ``run_once`` and how often it is called."""
