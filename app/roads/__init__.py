"""The road network: the way between two points, how long it takes, and places by name."""
