"""What the members' room does, one file for each use: sign in, stay signed in, drive, suspend."""

from app.members.service.codes import Challenge, request_code
from app.members.service.driving import (
    admit_driver,
    apply_to_drive,
    check_papers,
    get_application,
    get_own_application,
    list_applications,
    refuse_driver,
    renew_document,
)
from app.members.service.housekeeping import forget_old
from app.members.service.people import (
    appoint,
    change_me,
    find_suspension,
    get_me,
    reinstate_member,
    suspend_member,
)
from app.members.service.sessions import (
    Tokens,
    live_sessions,
    open_socket_ticket,
    redeem_ticket,
    refresh,
    sign_out,
    sign_out_everywhere,
)
from app.members.service.sign_in import sign_in

__all__ = [
    "Challenge",
    "Tokens",
    "admit_driver",
    "apply_to_drive",
    "appoint",
    "change_me",
    "check_papers",
    "find_suspension",
    "forget_old",
    "get_application",
    "get_me",
    "get_own_application",
    "list_applications",
    "live_sessions",
    "open_socket_ticket",
    "redeem_ticket",
    "refresh",
    "refuse_driver",
    "reinstate_member",
    "renew_document",
    "request_code",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "suspend_member",
]
