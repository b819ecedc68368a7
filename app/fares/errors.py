"""What the fares' room refuses."""

from app.foundation.problems import Problem


class RideTooShort(Problem):
    """Pickup and drop-off are the same place."""

    status = 422
    slug = "ride-too-short"
    title = "Pickup and drop-off are the same place"
