"""What the rides' room refuses."""

from app.foundation.problems import Problem


class QuoteExpired(Problem):
    """The price no longer holds. Ask for a new quote."""

    slug = "quote-expired"
    title = "This price has expired"


class QuoteAlreadyBooked(Problem):
    """This quote was booked before. Ask for a new quote."""

    slug = "quote-already-booked"
    title = "This price was booked before"


class OpenRideExists(Problem):
    """You have a ride that is not over yet. Finish or cancel it first."""

    slug = "open-ride-exists"
    title = "You have a ride already"


class RideAlreadyBookedForThen(Problem):
    """You have booked another ride for about that time, ``ride_id``. Choose a time clear of it."""

    slug = "ride-booked-for-then"
    title = "You have booked a ride for about that time"


class TooManyScheduledRides(Problem):
    """You have booked as many rides ahead as one member may. Cancel one, or wait for the next."""

    slug = "too-many-scheduled-rides"
    title = "You have booked many rides ahead already"


class WrongRideState(Problem):
    """The ride has moved on. ``state`` says where it stands now."""

    slug = "wrong-ride-state"
    title = "The ride is not in a state that allows this"


class TooEarlyForNoShow(Problem):
    """The rider still has time to come. ``earliest`` says when you may leave."""

    slug = "too-early-for-no-show"
    title = "The rider still has time to come"


class VisitOver(Problem):
    """Your letter has ended, or ends before the ride. Ask your own cooperative for a new one."""

    slug = "visit-over"
    title = "The letter of your cooperative has ended"


class DriverBusy(Problem):
    """This driver has a ride that is not over yet, and not both are shared."""

    slug = "driver-busy"
    title = "This driver has a ride already"


class CarFull(Problem):
    """The car has no room for this party: its seats, or three shared rides, are taken."""

    slug = "car-full"
    title = "The car has no room for this party"


class CarTakesNoWheelchair(Problem):
    """The rider brings a wheelchair, and your car takes none. It costs you nothing."""

    slug = "car-takes-no-wheelchair"
    title = "This car takes no wheelchair"


class CancellationCosts(Problem):
    """Cancelling now costs ``fee_minor``, more than you said. Nothing was cancelled."""

    slug = "cancellation-costs"
    title = "Cancelling costs more than you said"


class SharedRideStays(Problem):
    """Others rely on where a shared ride goes. Get out where you said, or where the car stops."""

    slug = "shared-ride-stays"
    title = "A shared ride keeps its drop-off"


class CarNotSeen(Problem):
    """Nobody knows where the car is, so the way so far has no price. Ask again in a moment."""

    slug = "car-not-seen"
    title = "The car was not seen for a while"


class ChangeOver(Problem):
    """This price was accepted, replaced by a newer one, or has expired. The ride is as it was."""

    slug = "change-over"
    title = "This change can no longer be accepted"
