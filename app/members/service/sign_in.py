"""Sign in: a right code makes a session, and the first one makes the member."""

from datetime import datetime

from app.foundation.database import Database
from app.foundation.ids import new_id
from app.ledger import service as ledger
from app.members.errors import CodeRefused
from app.members.keys import Keys
from app.members.queries import people
from app.members.roles import Role
from app.members.service.codes import use_code
from app.members.service.sessions import Tokens, start_session
from app.settings import Settings


async def sign_in(
    database: Database,
    *,
    keys: Keys,
    settings: Settings,
    challenge_id: str,
    code: str,
    now: datetime,
) -> Tokens:
    """Begin a session for whoever holds the phone; whoever is new is a member and a rider now.

    Suspended members sign in too: they may read why.

    Raises:
        CodeRefused: the code is wrong, used, too old or tried too often; nobody learns which.
    """
    tokens = None
    async with database.transaction() as tx:
        phone = await use_code(tx, keys=keys, challenge_id=challenge_id, code=code, now=now)
        if phone is not None:
            member = await people.make_member(tx, member_id=new_id(), phone=phone, now=now)
            await people.grant_role(tx, member_id=member["id"], role=Role.RIDER, by=None, now=now)
            # Asked each time: somebody appointed before their first sign-in has no account yet.
            await ledger.open_rider_account(
                tx,
                member_id=member["id"],
                now=now,
                lowest_minor=-settings.rider_credit_minor,
            )
            tokens = await start_session(
                tx,
                keys=keys,
                settings=settings,
                member_id=member["id"],
                new_member=member["is_new"],
                now=now,
            )
    # Only now, after the commit: raised inside, a refusal would take back the counted try.
    if tokens is None:
        raise CodeRefused
    return tokens
