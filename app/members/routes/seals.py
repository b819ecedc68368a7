"""HTTP of the seals: heads for everybody, and for members the proof of what moved their money."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import InvalidRequest, NotFound
from app.foundation.web import json_response, problem_responses
from app.ledger import seal_queries, seals
from app.members.access import DatabaseDep, SignedInEvenSuspended
from app.members.errors import NotSignedIn

_OWN = {"Cache-Control": "no-store", "Vary": "Authorization"}
_LARGEST = 2**63 - 1

router = APIRouter(prefix="/v1", tags=["ledger"])

_HASH = "5a0c1f2e8d4b7a69c0d3e6f9182b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d"
_SEAL: dict[str, Any] = {
    "height": 7,
    "epoch": 1,
    "size": 12,
    "root": _HASH,
    "previous": _HASH,
    "key": _HASH,
    "sealed_at": "2026-11-22T17:20:03+00:00",
    "hash": _HASH,
    "signature": _HASH + _HASH,
}


class SealView(BaseModel):
    """The signed head of a block of journals. Keep one: nobody can change the past unseen then."""

    model_config = ConfigDict(json_schema_extra={"example": _SEAL})

    height: Annotated[int, Field(description="the first block is 1")]
    epoch: Annotated[int, Field(description="rises when the books move to another server")]
    size: Annotated[int, Field(description="how many journals are in the block")]
    root: Annotated[str, Field(description="of the journals' leaves (RFC 6962), hex")]
    previous: Annotated[str, Field(description="`hash` of the block before; zeros for the first")]
    key: Annotated[str, Field(description="Ed25519 public key that signed it, hex")]
    sealed_at: str
    hash: str
    signature: str


class SealsView(BaseModel):
    """Heads of blocks, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_SEAL], "next_cursor": None}}
    )

    items: list[SealView]
    next_cursor: str | None


class ProofView(BaseModel):
    """Save it as a file: `meent-verify FILE` checks it without us.

    `salt` and `hidden_part` are null once somebody who had a part in the journal was erased.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "format": "meent-journal-proof:1",
                "seal": _SEAL,
                "position": 3,
                "path": [_HASH],
                "shown": {
                    "journal": 81,
                    "kind": "ride_fare",
                    "at": "2026-11-22T17:15:00+00:00",
                    "reverses": None,
                    "lines": [["rider:6f1c", "driver:93ab", 4465, "CHF"]],
                },
                "hidden": _HASH,
                "salt": _HASH[:32],
                "hidden_part": {"effective_at": "2026-11-22T17:20:00+00:00"},
            }
        }
    )

    format: str
    seal: SealView
    position: int
    path: list[str]
    shown: dict[str, Any]
    hidden: str
    salt: str | None
    hidden_part: dict[str, Any] | None


class BookSecretView(BaseModel):
    """What makes the codes of one of your accounts in what is published of a year."""

    account: str
    year: int
    secret: Annotated[str, Field(description="32 bytes, hex: who has it can read your lines")]


class BookSecretsView(BaseModel):
    """Your secrets, the newest year first; tell nobody. Saved, they are for `meent-verify`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"items": [{"account": "driver", "year": 2026, "secret": _HASH}]}
        }
    )

    items: list[BookSecretView]


@router.get(
    "/ledger/seals",
    operation_id="list_seals",
    summary="The seals of the books, for everybody to keep",
    response_model=SealsView,
    responses=problem_responses(InvalidRequest),
)
async def list_seals(
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> Response:
    """Return heads of blocks, the newest first. Nobody needs to sign in for that."""
    last = decode_cursor(cursor)
    below = min(last.int, _LARGEST) if last is not None else None
    async with database.reading() as reader:
        found = await seal_queries.list_seals(reader, below=below, limit=limit + 1)
    page = make_page(found, limit=limit, key=lambda head: UUID(int=head["height"]))
    heads = [seals.head_document(head) for head in page.items]
    view = SealsView.model_validate({"items": heads, "next_cursor": page.next_cursor})
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/me/journals/{journal_id}/proof",
    operation_id="get_my_journal_proof",
    summary="The proof that a booking of yours is sealed",
    response_model=ProofView,
    responses=problem_responses(NotSignedIn, NotFound),
)
async def get_my_journal_proof(
    journal_id: int, actor: SignedInEvenSuspended, database: DatabaseDep
) -> Response:
    """Return the proof to who had a part in the journal; not found until it is sealed."""
    if not 0 < journal_id <= _LARGEST:
        raise NotFound
    async with database.reading() as reader:
        if not await seal_queries.is_party(
            reader, journal_id=journal_id, member_id=actor.member_id
        ):
            raise NotFound
        proof = await seals.find_proof(reader, journal_id=journal_id)
    if proof is None:
        raise NotFound
    view = ProofView.model_validate(proof.document())
    return json_response(view.model_dump(mode="json"), headers=_OWN)


@router.get(
    "/me/book-secrets",
    operation_id="list_my_book_secrets",
    summary="What makes your lines known to you, and to nobody else, in what is published",
    response_model=BookSecretsView,
    responses=problem_responses(NotSignedIn),
)
async def list_my_book_secrets(actor: SignedInEvenSuspended, database: DatabaseDep) -> Response:
    """Return your secrets by account and year.

    Save the answer as a file: `meent-verify PACKAGE --member FILE` finds your lines and your row in
    a period's package and checks that they fit. Whoever has the file can do the same.
    """
    async with database.reading() as reader:
        rows = await seal_queries.list_secrets(reader, member_id=actor.member_id)
    items = [dict(row) | {"secret": row["secret"].hex()} for row in rows]
    view = BookSecretsView.model_validate({"items": items})
    return json_response(view.model_dump(mode="json"), headers=_OWN)
