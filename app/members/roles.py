"""What a member may do, and what becomes of an application to drive."""

from enum import StrEnum


class Role(StrEnum):
    """What a member may do. Everyone who signs in is a rider; the rest is granted by a person."""

    RIDER = "rider"
    DRIVER = "driver"
    DISPATCHER = "dispatcher"
    STAFF = "staff"
    AUDITOR = "auditor"  # may stop a vote, with another one


class ApplicationState(StrEnum):
    """What became of an application to drive."""

    SUBMITTED = "submitted"
    ADMITTED = "admitted"
    REFUSED = "refused"


class DocumentKind(StrEnum):
    """The papers without which nobody drives."""

    DRIVING_LICENCE = "driving_licence"
    PASSENGER_INSURANCE = "passenger_insurance"
    VEHICLE_INSPECTION = "vehicle_inspection"
