"""What the fares' room refuses."""

from app.foundation.problems import Problem


class RideTooShort(Problem):
    """Pickup and drop-off are the same place."""

    status = 422
    slug = "ride-too-short"
    title = "Pickup and drop-off are the same place"


class NoCarTakesWheelchair(Problem):
    """No driver here has such a car. If yours folds, ask without it, and tell your driver."""

    slug = "no-car-takes-wheelchair"
    title = "No car here takes a wheelchair yet"


class PickupTimeNotBookable(Problem):
    """Ask for a time between ``earliest`` and ``latest``, or leave it out to be fetched now."""

    status = 422
    slug = "pickup-time-not-bookable"
    title = "No ride can be booked for that time"


class TariffTooSoon(Problem):
    """Prices never change backwards or at once. Choose a moment that has not come yet."""

    status = 422
    slug = "tariff-too-soon"
    title = "A tariff comes into force later"


class OwnTariff(Problem):
    """Whoever proposes a tariff does not release it. Ask a colleague to look and to release it."""

    slug = "own-tariff"
    title = "Somebody else releases this tariff"


class TariffDecided(Problem):
    """The tariff was released or withdrawn already, perhaps at this moment by somebody else."""

    slug = "tariff-decided"
    title = "This tariff was decided before"


class TariffMomentTaken(Problem):
    """Another tariff comes into force at that very moment. Propose yours for another one."""

    slug = "tariff-moment-taken"
    title = "Another tariff begins at that moment"
