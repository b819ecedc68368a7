"""Who shares a car with whom, and in which order it stops: a pure library within a pure library."""
