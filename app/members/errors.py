"""What the members' room refuses."""

from app.foundation.problems import Problem


class NotSignedIn(Problem):
    """Send `Authorization: Bearer …` with an access token. Sign in, or refresh, to get one."""

    status = 401
    slug = "not-signed-in"
    title = "You are not signed in"


class MemberSuspended(Problem):
    """A person suspended this account and gave a reason, which you can read and contest."""

    status = 403
    slug = "member-suspended"
    title = "This account is suspended"


class RoleMissing(Problem):
    """Your account does not have the role that this needs."""

    status = 403
    slug = "role-missing"
    title = "Your account may not do this"


class CodeRefused(Problem):
    """The code is wrong, used, too old, or tried too often. Ask for a new one."""

    status = 401
    slug = "code-refused"
    title = "This code does not work"


class RefreshRefused(Problem):
    """The refresh token is used or too old. Sign in again."""

    status = 401
    slug = "refresh-refused"
    title = "This refresh token does not work"


class PhoneNumberInvalid(Problem):
    """Write the number with its country code, as in +423 234 56 78."""

    status = 422
    slug = "phone-number-invalid"
    title = "This is not a telephone number"


class SmsUnavailable(Problem):
    """The text message could not be sent. Ask for a new code in a while."""

    status = 503
    slug = "sms-unavailable"
    title = "No text message could be sent"


class ApplicationExists(Problem):
    """You have an application under way, or you drive already."""

    slug = "application-exists"
    title = "There is an application already"


class ApplicationDecided(Problem):
    """A person decided this application before."""

    slug = "application-decided"
    title = "This application was decided"


class OwnCase(Problem):
    """This is your own application, membership, suspension or erasure. Ask a colleague."""

    status = 403
    slug = "own-case"
    title = "Nobody decides about themselves"


class SuspensionExists(Problem):
    """This member is suspended already."""

    slug = "suspension-exists"
    title = "This member is suspended already"


class NotSuspended(Problem):
    """This member is not suspended."""

    slug = "not-suspended"
    title = "This member is not suspended"


class DriverDocumentExpired(Problem):
    """A paper is missing or no longer valid. ``kinds`` names which; send the new one."""

    slug = "driver-document-expired"
    title = "A paper of the driver is missing or out of date"


class MembershipExists(Problem):
    """You are a member, or your application is under way. Read it at `/v1/me/membership`."""

    slug = "membership-exists"
    title = "There is a membership already"


class HouseNotInStatutes(Problem):
    """The statutes of this cooperative do not have this house. Apply for the other one."""

    status = 422
    slug = "house-not-in-statutes"
    title = "The cooperative has no such house"


class MembershipDecided(Problem):
    """A person admitted or refused this applicant before, or the applicant left."""

    slug = "membership-decided"
    title = "This membership was decided"


class ShareUnpaid(Problem):
    """Nobody is admitted before the share is paid. Book the share first, then admit."""

    slug = "share-unpaid"
    title = "The share is not paid"


class SharePaidBefore(Problem):
    """The share of this membership is paid; it is booked once."""

    slug = "share-paid-before"
    title = "There is nothing left to pay"


class NotAMember(Problem):
    """You are not a member and have not applied, so there is nothing to leave."""

    slug = "not-a-member"
    title = "You are not a member"


class StillAMember(Problem):
    """This person is a member or has applied to become one. They leave first, by themselves."""

    slug = "still-a-member"
    title = "This person is still a member"


class ErasureExists(Problem):
    """Somebody asked for this before. A colleague confirms or withdraws it."""

    slug = "erasure-exists"
    title = "This person is to be erased already"


class ErasureDecided(Problem):
    """The erasure was confirmed or withdrawn already, perhaps at this moment by somebody else."""

    slug = "erasure-decided"
    title = "This erasure was decided before"


class OwnErasure(Problem):
    """Whoever asks for an erasure does not confirm it. Ask a colleague to look and to confirm."""

    slug = "own-erasure"
    title = "Somebody else confirms this erasure"


class MemberKeyTaken(Problem):
    """Each key is one member's, once. Make a new key on your device and set that one."""

    slug = "member-key-taken"
    title = "This key is or was in use"
