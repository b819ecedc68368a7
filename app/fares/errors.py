"""What the fares' room refuses."""

from app.foundation.problems import Problem


class OutsideServiceAreaProblem(Problem):
    """A point is more than 500 m from any road here, or no way leads there. Choose another."""

    status = 422
    slug = "outside-service-area"
    title = "We do not drive there"


class RideTooShort(Problem):
    """Pickup and drop-off are the same place."""

    status = 422
    slug = "ride-too-short"
    title = "Pickup and drop-off are the same place"
