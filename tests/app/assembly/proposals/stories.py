"""What tests of proposals begin with: members of the register, and proposals at some stage."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from app.assembly.proposals.proposal import Proposal
from app.foundation.ids import new_id
from governance.proposal import Kind, Progress, Stage
from tests.conftest import FRIDAY_EVENING
from tests.factories import make_member

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
