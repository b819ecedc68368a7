"""What the fares' room refuses."""

from app.foundation.problems import Problem


class RideTooShort(Problem):
    """Pickup and drop-off are the same place."""

    status = 422
    slug = "ride-too-short"
    title = "Pickup and drop-off are the same place"


class PickupTimeNotBookable(Problem):
    """Ask for a time between ``earliest`` and ``latest``, or leave it out to be fetched now."""

    status = 422
    slug = "pickup-time-not-bookable"
    title = "No ride can be booked for that time"
