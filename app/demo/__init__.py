"""A day in the city: simulated phones that use the platform through its public API alone."""
