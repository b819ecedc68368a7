"""The whole life of a ride as one table: who may take it from which state to which."""

from dataclasses import dataclass
from enum import StrEnum


class RideState(StrEnum):
    """Where a ride stands."""

    SCHEDULED = "scheduled"  # booked ahead; nobody looks for a driver yet
    REQUESTED = "requested"  # waiting for a driver
    ASSIGNED = "assigned"  # a driver is on the way
    ARRIVED = "arrived"  # the driver is at the pickup
    UNDER_WAY = "under_way"  # the rider is in the car
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_DRIVER = "no_driver"  # nobody was found in time
    NO_SHOW = "no_show"  # the rider did not come


class Step(StrEnum):
    """What may happen to a ride."""

    RELEASE = "release"  # its time draws near: the search begins
    ASSIGN = "assign"
    ARRIVE = "arrive"
    START = "start"
    COMPLETE = "complete"
    CANCEL = "cancel"  # by the rider, or by a dispatcher
    WITHDRAW = "withdraw"  # by the driver: the ride looks for another one
    UNPAID = "unpaid"  # its card gave nothing, and nobody has come to the pickup yet
    LAPSE = "lapse"  # its pickup window closed before the search could begin
    GIVE_UP = "give_up"  # no driver in time
    NO_SHOW = "no_show"


class Party(StrEnum):
    """Who takes a step."""

    RIDER = "rider"
    DRIVER = "driver"
    DISPATCHER = "dispatcher"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table: from any of ``sources`` to ``target``, by any of ``parties``."""

    sources: tuple[RideState, ...]
    target: RideState
    parties: tuple[Party, ...]
    event: str

    @property
    def source_names(self) -> list[str]:
        """The sources as the database spells them."""
        return [str(source) for source in self.sources]


S, P = RideState, Party

TRANSITIONS: dict[Step, Transition] = {
    Step.RELEASE: Transition((S.SCHEDULED,), S.REQUESTED, (P.PLATFORM,), "ride.search_began"),
    Step.ASSIGN: Transition((S.REQUESTED,), S.ASSIGNED, (P.PLATFORM,), "ride.assigned"),
    Step.ARRIVE: Transition((S.ASSIGNED,), S.ARRIVED, (P.DRIVER,), "ride.driver_arrived"),
    Step.START: Transition((S.ARRIVED,), S.UNDER_WAY, (P.DRIVER,), "ride.started"),
    Step.COMPLETE: Transition((S.UNDER_WAY,), S.COMPLETED, (P.DRIVER,), "ride.completed"),
    Step.CANCEL: Transition(
        (S.SCHEDULED, S.REQUESTED, S.ASSIGNED, S.ARRIVED),
        S.CANCELLED,
        (P.RIDER, P.DISPATCHER),
        "ride.cancelled",
    ),
    Step.WITHDRAW: Transition(
        (S.ASSIGNED, S.ARRIVED), S.REQUESTED, (P.DRIVER,), "ride.driver_withdrew"
    ),
    Step.UNPAID: Transition(
        (S.SCHEDULED, S.REQUESTED, S.ASSIGNED), S.CANCELLED, (P.PLATFORM,), "ride.cancelled"
    ),
    Step.LAPSE: Transition((S.SCHEDULED,), S.CANCELLED, (P.PLATFORM,), "ride.cancelled"),
    Step.GIVE_UP: Transition((S.REQUESTED,), S.NO_DRIVER, (P.PLATFORM,), "ride.no_driver_found"),
    Step.NO_SHOW: Transition((S.ARRIVED,), S.NO_SHOW, (P.DRIVER,), "ride.rider_did_not_come"),
}

# A rider has one open ride at most; rides booked ahead wait beside it.
OPEN_STATES = (S.REQUESTED, S.ASSIGNED, S.ARRIVED, S.UNDER_WAY)
UNFINISHED_STATES = (S.SCHEDULED, *OPEN_STATES)
DRIVING_STATES = (S.ASSIGNED, S.ARRIVED, S.UNDER_WAY)
CLOSED_STATES = tuple(state for state in RideState if state not in UNFINISHED_STATES)
# How a ride's history may begin, and the event that says so.
FIRST_EVENTS: dict[RideState, str] = {
    S.REQUESTED: "ride.requested",
    S.SCHEDULED: "ride.scheduled",
}
