"""HTTP of the ballot box: whoever casts or looks for a ballot stays without a name."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from app.assembly.ballots import proofs, queries, service
from app.assembly.ballots.errors import (
    BallotBoxAway,
    BallotIsThere,
    BallotNamesItsVoter,
    BallotRefused,
    BallotsStillSecret,
    ObjectionsClosed,
    ReceiptRefused,
    SequenceTaken,
    VoteClosed,
    VoteNotOpen,
)
from app.assembly.ballots.objecting import object_by_receipt
from app.assembly.ballots.schemas import (
    BallotDocument,
    BallotsView,
    BoxView,
    ConsistencyView,
    InclusionView,
    ObjectionRequest,
    ObjectionView,
    ReceiptView,
    RootsView,
)
from app.assembly.elections.errors import NotCountedYet
from app.assembly.elections.queries import find_manifest
from app.assembly.elections.queries.elections import find_election
from app.foundation.problems import MalformedBody, NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import DatabaseDep, Now, SettingsDep
from governance.manifest import Manifest, time_text

router = APIRouter(prefix="/elections/{election_id}", tags=["ballots"])

NAMING_HEADERS = ("authorization", "cookie")
MAX_PAGE = 100


async def refuse_names(request: Request) -> None:
    """Let nobody through who says who they are, so that no client does so by mistake.

    Raises:
        BallotNamesItsVoter: there is an Authorization header or a cookie.
    """
    if any(header in request.headers for header in NAMING_HEADERS):
        raise BallotNamesItsVoter


async def get_manifest(election_id: UUID, database: DatabaseDep) -> Manifest:
    """Return the frozen terms of the election.

    Raises:
        NotFound: there is no such election, or its terms are not frozen yet.
    """
    async with database.reading() as reader:
        manifest = await find_manifest(reader, election_id=election_id)
    if manifest is None:
        raise NotFound
    return manifest


ManifestDep = Annotated[Manifest, Depends(get_manifest)]
Nameless = Depends(refuse_names)
Leaf = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", description="the ballot's hash, as on its receipt")
]


@router.post(
    "/ballots",
    operation_id="cast_ballot",
    summary="Cast a ballot, without a name",
    status_code=201,
    response_model=ReceiptView,
    dependencies=[Nameless],
    responses=problem_responses(
        NotFound,
        BallotNamesItsVoter,
        MalformedBody,
        VoteNotOpen,
        VoteClosed,
        BallotRefused,
        SequenceTaken,
        BallotBoxAway,
    ),
)
async def cast_ballot(
    election_id: UUID,
    body: BallotDocument,
    manifest: ManifestDep,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
) -> Response:
    """Return the board's signed receipt once the ballot is safely stored.

    Do not sign in for this, and send no cookie. No Idempotency-Key is needed: the same ballot
    again is stored once and gets the same receipt. To change your mind, cast another ballot of
    the same vote key with the next sequence number.
    """
    receipt = await service.accept_ballot(
        database,
        election_id=election_id,
        manifest=manifest,
        document=body.model_dump(),
        home=settings.home,
        now=now,
    )
    return json_response(receipt, status=201)


@router.post(
    "/objections",
    operation_id="object_to_count",
    summary="Stop a count that left out a receipted ballot",
    status_code=201,
    response_model=ObjectionView,
    dependencies=[Nameless],
    responses=problem_responses(
        NotFound,
        BallotNamesItsVoter,
        MalformedBody,
        ReceiptRefused,
        NotCountedYet,
        BallotIsThere,
        ObjectionsClosed,
    ),
)
async def object_to_count(
    election_id: UUID,
    body: ObjectionRequest,
    manifest: ManifestDep,  # noqa: ARG001 - without terms there is no receipt
    database: DatabaseDep,
    now: Now,
) -> Response:
    """Void the vote if the box that was counted lacks the ballot of a receipt of its board.

    Do not sign in for this: whose receipt it is need not be known, and it says nothing of the
    vote. It is published beside the fault. Nobody decides about it: the proof does.
    """
    async with database.transaction() as tx:
        election = await find_election(tx, election_id=election_id)
        assert election is not None, "an election with terms is there"
        answer = await object_by_receipt(
            tx, election=election, receipt=body.receipt.model_dump(), now=now
        )
    return json_response(answer, status=201)


@router.get(
    "/box",
    operation_id="get_ballot_box",
    summary="How many ballots lie in the box",
    response_model=BoxView,
    responses=problem_responses(NotFound),
)
async def get_ballot_box(
    election_id: UUID, manifest: ManifestDep, database: DatabaseDep
) -> Response:
    """Return the size of the box, and by when every receipted ballot is in it."""
    async with database.reading() as reader:
        box = await proofs.describe_box(reader, election_id=election_id, manifest=manifest)
    return json_response(box)


@router.get(
    "/ballots",
    operation_id="list_ballots",
    summary="Read the ballots, after the vote closed",
    response_model=BallotsView,
    responses=problem_responses(NotFound, BallotsStillSecret),
)
async def list_ballots(
    election_id: UUID,
    manifest: ManifestDep,
    database: DatabaseDep,
    now: Now,
    skip: Annotated[int, Query(ge=0, le=10_000_000, description="the place to begin at")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = MAX_PAGE,
) -> Response:
    """Return ballots in the order of the box, which tells no time."""
    if now < manifest.closes_at:
        raise BallotsStillSecret(closes_at=time_text(manifest.closes_at))
    async with database.reading() as reader:
        found = await queries.list_documents(
            reader, election_id=election_id, skip=skip, limit=limit + 1
        )
    more = skip + limit if len(found) > limit else None
    return json_response({"items": found[:limit], "next": more})


@router.get(
    "/ballots/{leaf}/inclusion",
    operation_id="prove_inclusion",
    summary="Prove that a ballot lies in the box",
    response_model=InclusionView,
    dependencies=[Nameless],
    responses=problem_responses(NotFound, BallotNamesItsVoter),
)
async def prove_inclusion(
    election_id: UUID,
    leaf: Leaf,
    manifest: ManifestDep,  # noqa: ARG001 - an election that is not there has no box either
    database: DatabaseDep,
) -> Response:
    """Return the proof, for the leaf on your receipt; without a name, as the leaf is your ballot.

    A ballot that waits for its batch is not found yet.
    """
    async with database.reading() as reader:
        proof = await proofs.prove_inclusion(
            reader, election_id=election_id, leaf=bytes.fromhex(leaf)
        )
    return json_response(proof)


@router.get(
    "/consistency",
    operation_id="prove_consistency",
    summary="Prove that the box only grew",
    response_model=ConsistencyView,
    responses=problem_responses(NotFound),
)
async def prove_consistency(
    election_id: UUID,
    manifest: ManifestDep,  # noqa: ARG001 - an election that is not there has no box either
    database: DatabaseDep,
    old_size: Annotated[
        int, Query(alias="from", ge=1, le=10_000_000, description="size of a root you kept")
    ],
) -> Response:
    """Return the proof that the box of that size is the beginning of today's."""
    async with database.reading() as reader:
        proof = await proofs.prove_consistency(reader, election_id=election_id, old_size=old_size)
    return json_response(proof)


@router.get(
    "/roots",
    operation_id="list_roots",
    summary="Every signed root of the box",
    response_model=RootsView,
    responses=problem_responses(NotFound),
)
async def list_roots(
    election_id: UUID,
    manifest: ManifestDep,  # noqa: ARG001 - an election that is not there has no box either
    database: DatabaseDep,
) -> Response:
    """Return the roots in order. Keep one: `meent-verify --root` then sees if the box was changed.

    One root stands for each batch, so there are few.
    """
    async with database.reading() as reader:
        items = await service.list_roots(reader, election_id=election_id)
    return json_response({"items": items})
