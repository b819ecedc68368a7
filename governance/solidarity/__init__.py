"""How members stand by each other: contributions, gifts to the sick, and what a fund can bear."""
