"""The pay floor: a driver's week is filled up to what the members voted."""
