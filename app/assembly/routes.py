"""HTTP of the assembly: anyone may read what is in force."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from app.assembly import election_routes, queries
from app.assembly.ballots import routes as ballots
from app.assembly.open_votes import routes as open_votes
from app.assembly.proposals import routes as proposals
from app.foundation.web import problem_responses
from app.members.access import DatabaseDep, Now

router = APIRouter(prefix="/v1", tags=["assembly"])
router.include_router(election_routes.router)
router.include_router(ballots.router)
router.include_router(open_votes.router)
router.include_router(proposals.router)


class PolicyView(BaseModel):
    """A policy in force."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b",
                "key": "commission_bp",
                "value": 1500,
                "effective_from": "2026-11-22T00:00:00Z",
                "source": "founding",
            }
        }
    )

    id: UUID
    key: str
    value: Any
    effective_from: datetime
    source: str


class PoliciesView(BaseModel):
    """Every policy in force now."""

    items: list[PolicyView]


@router.get(
    "/policies",
    operation_id="list_policies",
    summary="What the members decided and is in force now",
    responses=problem_responses(),
)
async def list_policies(database: DatabaseDep, now: Now) -> PoliciesView:
    """Return each policy in force, from the founding statutes or a vote."""
    async with database.reading() as reader:
        rows = await queries.policies_in_force(reader, at=now)
    return PoliciesView(items=[PolicyView(**row) for row in rows])
