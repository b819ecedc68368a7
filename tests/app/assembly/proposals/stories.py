"""What tests of proposals begin with: members of the register, and proposals at some stage."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import orjson

from app.assembly.proposals.proposal import Proposal
from app.foundation.ids import new_id
from app.members.roles import Role
from governance.electorate import House
from governance.proposal import Kind, Progress, Stage
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member
from tests.steps import take

EXPLANATION = "The cooperative keeps less. Of a fare of CHF 30 the driver gets CHF 27, not 25.50."


async def store_proposal(
    owner: asyncpg.Connection,
    *,
    stage: Stage,
    lasts: timedelta | None = timedelta(days=7),
    author_id: UUID | None = None,
    kind: Kind = Kind.NUMBER,
    supporters_needed: int = 3,
    text: str | None = None,
    options: tuple[str, ...] = (),
    parameters: dict[str, Any] | None = None,
) -> Proposal:
    """A proposal straight in the database, at a stage before the freeze, due after so long."""
    author_id = author_id or (await make_member(owner, now=FRIDAY_EVENING)).id
    needed = None if stage is Stage.DRAFT else supporters_needed
    due_at = None if stage is Stage.DRAFT or lasts is None else FRIDAY_EVENING + lasts
    proposal = Proposal(
        id=new_id(),
        author_id=author_id,
        kind=kind,
        is_secret=True,
        key="commission_bp" if kind is Kind.NUMBER else None,
        title="A smaller share",
        question="Which share of a fare shall the cooperative keep?",
        explanation=EXPLANATION,
        text=text,
        text_number=0,
        options=options,
        parameters=parameters or {},
        supporters_needed=needed,
        rule=None,
        progress=Progress(stage, FRIDAY_EVENING, due_at),
        void_ground=None,
        version=1,
        created_at=FRIDAY_EVENING,
    )
    await owner.execute(
        "insert into proposal (id, author_id, kind, is_secret, key, title, question, explanation,"
        " draft_text, options, parameters, supporters_needed, stage, since, due_at, version,"
        " created_at) values ($1, $2, $3, true, $4, $5, $6, $7, $8, $9::jsonb, $10::jsonb, $11,"
        " $12, $13, $14, 1, $13)",
        proposal.id,
        proposal.author_id,
        str(kind),
        proposal.key,
        proposal.title,
        proposal.question,
        proposal.explanation,
        text,
        orjson.dumps(list(options)).decode(),
        orjson.dumps(dict(proposal.parameters)).decode(),
        needed,
        str(stage),
        FRIDAY_EVENING,
        due_at,
    )
    return proposal


async def join_register(
    owner: asyncpg.Connection, *, house: House = House.RIDERS, name: str = "Ada"
) -> Person:
    """A member in good standing since long ago, signed in and active today."""
    staff = await make_member(owner, Role.STAFF, now=FRIDAY_EVENING, name="Staff")
    person = await make_member(owner, now=FRIDAY_EVENING, name=name)
    await owner.execute(
        "insert into membership (id, member_id, house, shares_minor, applied_at, shares_paid_at,"
        " admitted_at, admitted_by, last_active_at) values ($1, $2, $3, 0, $4, $4, $4, $5, $6)",
        new_id(),
        person.id,
        str(house),
        FRIDAY_EVENING - timedelta(days=400),
        staff.id,
        FRIDAY_EVENING,
    )
    return person


NUMBER = {
    "kind": "number",
    "key": "commission_bp",
    "title": "A smaller share",
    "question": "Which share of a fare shall the cooperative keep?",
    "explanation": EXPLANATION,
}
TEXT = {
    "kind": "text",
    "title": "Longer notice",
    "question": "Shall this be a rule of ours?",
    "explanation": "Drivers hear earlier of a change. Telling them costs CHF 12 a year.",
    "text": "Notice is given 14 days ahead.\nIt is given in writing.\n",
}


async def draft(client: httpx.AsyncClient, author: Person, **content: Any) -> dict[str, Any]:
    """A draft of this member's, a number where nothing else is said."""
    answer = await client.post("/v1/proposals", json=content or NUMBER, headers=author.act)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def submit(client: httpx.AsyncClient, author: Person, **content: Any) -> str:
    """A proposal of this member's that seeks support; return its address."""
    address = f"/v1/proposals/{(await draft(client, author, **content))['id']}"
    answer = await take(client, author, f"{address}/submit")
    assert answer.status_code == 200, answer.text
    return address


async def deliberate(
    client: httpx.AsyncClient, owner: asyncpg.Connection, author: Person, **content: Any
) -> tuple[str, list[Person]]:
    """A proposal under deliberation; return its address and who supported it."""
    address = await submit(client, author, **content)
    needed = (await read(client, author, address))["supporters_needed"]
    supporters = [await join_register(owner, name=f"Member {n}") for n in range(needed)]
    for supporter in supporters:
        answer = await take(client, supporter, f"{address}/support")
        assert answer.status_code == 200, answer.text
    assert answer.json()["stage"] == "deliberation"
    return address, supporters


async def read(client: httpx.AsyncClient, person: Person, address: str) -> dict[str, Any]:
    """What this member reads at an address."""
    answer = await client.get(address, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
