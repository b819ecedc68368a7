"""What the drivers' room refuses."""

from app.foundation.problems import Problem


class ShiftAlreadyOpen(Problem):
    """You are on shift already. End that shift before you start another one."""

    slug = "shift-already-open"
    title = "There is a shift under way already"


class NoOpenShift(Problem):
    """You are not on shift. Start one to take offers."""

    slug = "no-open-shift"
    title = "There is no shift under way"


class RideUnderWay(Problem):
    """A rider counts on you. Complete the ride, or withdraw from it, then end the shift."""

    slug = "ride-under-way"
    title = "A ride is still under way"


class NoSuchVehicle(Problem):
    """Name a car of your own, or none: then it is the one you entered last."""

    slug = "no-such-vehicle"
    title = "You have no such car"
