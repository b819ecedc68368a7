"""The road of what follows a ride serves the pay floor too."""

from tests.app.after_ride.conftest import road

__all__ = ["road"]
