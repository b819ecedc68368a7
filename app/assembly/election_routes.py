"""HTTP of elections: everybody reads terms, rolls, results and packages; a member also her seat."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.assembly import package
from app.assembly.ballots.queries import count_ballots, list_objections
from app.assembly.elections import service
from app.assembly.elections.errors import (
    ElectionUnknown,
    NotCountedYet,
    NothingToStop,
    OwnProposal,
    StopAsked,
    StopUnknown,
    TwoAuditorsNeeded,
)
from app.assembly.elections.queries import audits, elections, rolls
from app.assembly.elections.rules import (
    changes_anything,
    seat_salt,
    shown_counts,
    shown_result,
)
from app.assembly.elections.schemas import (
    ElectionsView,
    ElectionView,
    OwnSeatView,
    ResultView,
    RollsView,
    StopRequest,
    StopView,
)
from app.assembly.proposals.service import get_proposal
from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, Auditor, DatabaseDep, SignedInEvenSuspended
from app.members.errors import NotSignedIn, RoleMissing
from governance.manifest import canonical

router = APIRouter(prefix="/elections", tags=["elections"])

_STOP_PROBLEMS = (ElectionUnknown, NothingToStop, OwnProposal, RoleMissing, *COMMAND_PROBLEMS)
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]


@router.get(
    "",
    operation_id="list_elections",
    summary="Secret votes, newest first",
    response_model=ElectionsView,
    responses=problem_responses(),
)
async def list_elections(database: DatabaseDep, limit: Limit = 20, cursor: Cursor = None) -> Any:
    """Return a page of votes, from the freeze of their terms on."""
    async with database.reading() as reader:
        rows = await elections.page_of_elections(
            reader, before=decode_cursor(cursor), limit=limit + 1
        )
    page = make_page(rows, limit=limit, key=lambda row: UUID(int=row["id"].int))
    return {"items": [dict(row) for row in page.items], "next_cursor": page.next_cursor}


@router.get(
    "/{election_id}",
    operation_id="get_election",
    summary="A secret vote, its terms and who sealed them",
    response_model=ElectionView,
    responses=problem_responses(ElectionUnknown),
)
async def get_election(election_id: UUID, database: DatabaseDep) -> Any:
    """Return the manifest with its hash and seals, the issuers, and how many have come so far."""
    async with database.reading() as reader:
        election = await _election(reader, election_id)
        proposal = await get_proposal(reader, proposal_id=election.proposal_id)
        issuers = await elections.list_issuers(reader, election_id=election_id)
        issued = await rolls.count_issued(reader, election_id=election_id)
        faults = await elections.list_faults(reader, election_id=election_id)
        stops = await audits.list_stops(reader, election_id=election_id)
        objections = await list_objections(reader, election_id=election_id)
        box_size = await count_ballots(reader, election_id=election_id)
    manifest = election.manifest
    return {
        "id": election.id,
        "proposal_id": election.proposal_id,
        "stage": proposal.stage,
        "manifest": manifest and manifest.document(),
        "manifest_hash": manifest and manifest.hash().hex(),
        "seals": [place.seal.hex() for place in issuers if place.seal is not None],
        "issuers": [
            {"name": place.issuer.name if place.issuer else place.url, "url": place.url}
            for place in issuers
        ],
        "issued": issued,
        "box_size": box_size,
        "opens_at": election.opens_at,
        "closes_at": election.closes_at,
        "faults": [dict(fault) for fault in faults],
        "objections": objections,
        "audit_stops": [dict(stop) for stop in stops],
    }


@router.get(
    "/{election_id}/me",
    operation_id="get_own_seat",
    summary="Am I on the roll of this vote?",
    response_model=OwnSeatView,
    responses=problem_responses(ElectionUnknown, NotSignedIn),
)
async def get_own_seat(
    election_id: UUID, actor: SignedInEvenSuspended, database: DatabaseDep
) -> Any:
    """Return your pseudonym, and whether issuers' logs name you: if that was not you, say so.

    `member` is the SHA-256 of `salt` and then of the text `member_id:key`, with your member key in
    hex as it was when the roll was frozen, or nothing where you had none. Whoever is suspended
    sees it too, and votes: a suspension takes nobody's vote.
    """
    async with database.reading() as reader:
        election = await _election(reader, election_id)
        issuers = await elections.list_issuers(reader, election_id=election_id)
        seat = await rolls.find_seat(reader, election_id=election_id, member_id=actor.member_id)
    if seat is None:
        return {"on_roll": False, "issued": [False] * len(issuers)}
    return {
        "on_roll": True,
        "house_no": seat["house_no"],
        "member": seat["member_hash"],
        "member_id": actor.member_id,
        "salt": seat_salt(election.salt, actor.member_id).hex(),
        "has_key": seat["has_key"],
        "issued": [place.issuer_no in seat["issued"] for place in issuers],
    }


@router.get(
    "/{election_id}/rolls",
    operation_id="list_rolls",
    summary="The frozen rolls, by pseudonym",
    response_model=RollsView,
    responses=problem_responses(ElectionUnknown),
)
async def list_rolls(election_id: UUID, database: DatabaseDep) -> Response:
    """Return who may vote, house by house, under the names that issuers' logs use."""
    async with database.reading() as reader:
        election = await _election(reader, election_id)
        lines = await rolls.list_pseudonyms(reader, election_id=election_id)
    by_house: list[list[str]] = [[] for _ in election.terms.houses]
    for line in lines:
        by_house[line["house_no"]].append(line["member_hash"])
    return json_response({"rolls": by_house})


@router.get(
    "/{election_id}/result",
    operation_id="get_result",
    summary="What a vote decided, once it is counted",
    response_model=ResultView,
    responses=problem_responses(ElectionUnknown, NotCountedYet),
)
async def get_result(election_id: UUID, database: DatabaseDep) -> Any:
    """Return the result, and from when it is in force; nothing before the vote has closed."""
    async with database.reading() as reader:
        election, tally = await _counted(reader, election_id)
        proposal = await get_proposal(reader, proposal_id=election.proposal_id)
        turnout = await rolls.count_issued(reader, election_id=election_id)
        enacted = await elections.find_enactment(reader, tally_id=tally.id)
    return {
        "election_id": election.id,
        "proposal_id": election.proposal_id,
        "stage": proposal.stage,
        "rule": tally.rule,
        "result": shown_result(tally.result, counted=tally.counted),
        "changes": changes_anything(
            tally.rule, result=tally.result, parameters=election.terms.parameters
        ),
        "counted": shown_counts(tally.counted),
        "roll_sizes": [house.roll_size for house in election.terms.houses],
        "turnout": turnout,
        "package_hash": tally.package_hash.hex(),
        "tallied_at": tally.tallied_at,
        "enacted": enacted and dict(enacted),
    }


@router.get(
    "/{election_id}/package",
    operation_id="get_package",
    summary="All that is needed to recount a vote",
    responses={
        200: {"description": "`meent-election-package:1`; give it to `meent-verify`"},
        **problem_responses(ElectionUnknown, NotCountedYet),
    },
)
async def get_package(election_id: UUID, database: DatabaseDep) -> Response:
    """Return the public package as it was when the vote was counted; its ETag is its SHA-256."""
    async with database.reading() as reader:
        election, tally = await _counted(reader, election_id)
        pieces = await package.read_pieces(reader, election=election)
    body = canonical(package.make_package(pieces, result=tally.result))
    headers = {"ETag": f'"{tally.package_hash.hex()}"'}
    return Response(body, headers=headers, media_type="application/json")


@router.post(
    "/{election_id}/audit-stops",
    operation_id="ask_to_stop_election",
    summary="Auditors: ask that a vote be stopped",
    status_code=201,
    response_model=StopView,
    responses=problem_responses(StopAsked, *_STOP_PROBLEMS),
)
async def ask_to_stop_election(
    election_id: UUID, body: StopRequest, command: Acting, auditor: Auditor
) -> Response:
    """Publish why the vote shall be stopped. It goes on until another auditor confirms."""
    return await command.answer(
        lambda tx: service.ask_to_stop(
            tx,
            election_id=election_id,
            auditor_id=auditor.member_id,
            reason=body.reason,
            now=command.now,
        ),
        status=201,
    )


@router.post(
    "/{election_id}/audit-stops/{stop_id}/confirm",
    operation_id="confirm_election_stop",
    summary="Auditors: stop a vote for another auditor's reason",
    response_model=StopView,
    responses=problem_responses(StopUnknown, TwoAuditorsNeeded, *_STOP_PROBLEMS),
)
async def confirm_election_stop(
    election_id: UUID, stop_id: UUID, command: Acting, auditor: Auditor
) -> Response:
    """Void the vote, from the freeze of its terms until its result is enacted."""
    return await command.answer(
        lambda tx: service.confirm_stop(
            tx,
            election_id=election_id,
            stop_id=stop_id,
            auditor_id=auditor.member_id,
            now=command.now,
        )
    )


async def _election(reader: Transaction, election_id: UUID) -> elections.Election:
    election = await elections.find_election(reader, election_id=election_id)
    if election is None:
        raise ElectionUnknown
    return election


async def _counted(
    reader: Transaction, election_id: UUID
) -> tuple[elections.Election, elections.TallyRow]:
    election = await _election(reader, election_id)
    tally = await elections.find_tally(reader, election_id=election_id)
    if tally is None:
        raise NotCountedYet
    return election, tally
