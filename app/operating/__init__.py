"""Running a city: start its processes, prepare its database and roads, look at its health."""
