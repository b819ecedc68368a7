"""A city's day in virtual time: what a fleet and a way to dispatch would have made of it."""
