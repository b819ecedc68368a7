"""Statements on elections: their terms, their issuers' answers, and what was counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.elections.notices import Alarm
from app.assembly.elections.rules import Terms, terms_from
from app.foundation.database import Transaction
from governance.manifest import Issuer, Manifest, manifest_from
from governance.proposal import Stage


@dataclass(frozen=True, slots=True)
class Election:
    """One secret vote as stored; no manifest yet means that an issuer has not given its keys."""

    id: UUID
    proposal_id: UUID
    salt: bytes
    terms: Terms
    manifest: Manifest | None
    frozen_at: datetime
    opens_at: datetime
    closes_at: datetime
    published_by: datetime


@dataclass(frozen=True, slots=True)
class IssuerAnswers:
    """One issuer of an election, and what it has answered so far."""

    issuer_no: int
    url: str
    issuer: Issuer | None
    seal: bytes | None


@dataclass(frozen=True, slots=True)
class TallyRow:
    """What was counted: the result, and the ballots counted in each house."""

    id: UUID
    election_id: UUID
    rule: str
    result: dict[str, Any]
    counted: tuple[int, ...]
    package_hash: bytes
    tallied_at: datetime


_ELECTION = (
    "select e.id, e.proposal_id, e.salt, e.terms, e.manifest, e.frozen_at, e.opens_at,"
    " e.closes_at, e.published_by from election e"
)


async def find_manifest(reader: Transaction, *, election_id: UUID) -> Manifest | None:
    """Return the frozen terms of an election, or None while its issuers give their keys."""
    document = await reader.value("select manifest from election where id = $1", election_id)
    return None if document is None else manifest_from(document)


async def find_election(
    reader: Transaction, *, election_id: UUID | None = None, proposal_id: UUID | None = None
) -> Election | None:
    """Return an election by its own id or by its proposal's, or None."""
    row = await reader.row(
        f"{_ELECTION} where e.id = $1 or e.proposal_id = $2", election_id, proposal_id
    )
    return None if row is None else _election(row)


async def list_running(reader: Transaction, *, limit: int) -> list[Election]:
    """Return elections from the freeze of their terms until they are counted, by closing time."""
    rows = await reader.rows(
        f"{_ELECTION} join proposal p on p.id = e.proposal_id"
        " where p.stage = any($1::text[]) order by e.closes_at, e.id limit $2",
        [Stage.FROZEN, Stage.CREDENTIALS_OPEN, Stage.VOTING],
        limit,
    )
    return [_election(row) for row in rows]


async def list_closed_open_votes(reader: Transaction, *, at: datetime, limit: int) -> list[UUID]:
    """Return proposals that are voted on by name and whose voting has closed."""
    rows = await reader.rows(
        "select id from proposal where stage = 'voting' and not is_secret and closes_at <= $1"
        " order by closes_at, id limit $2",
        at,
        limit,
    )
    return [row["id"] for row in rows]


async def list_deliberated(reader: Transaction, *, limit: int) -> list[UUID]:
    """Return proposals in deliberation that will be voted on in secret, those due first."""
    rows = await reader.rows(
        "select id from proposal where stage = 'deliberation' and is_secret"
        " order by due_at, id limit $1",
        limit,
    )
    return [row["id"] for row in rows]


async def page_of_elections(reader: Transaction, *, before: UUID | None, limit: int) -> list[Any]:
    """Return id, proposal, stage, title, question, rule and times of elections, newest first."""
    return await reader.rows(
        "select e.id, e.proposal_id, p.stage, p.title, e.terms->>'question' as question,"
        " e.terms->>'rule' as rule, e.opens_at, e.closes_at from election e"
        " join proposal p on p.id = e.proposal_id"
        " where $1::uuid is null or e.id < $1 order by e.id desc limit $2",
        before,
        limit,
    )


async def insert_election(tx: Transaction, *, election: Election, urls: Sequence[str]) -> None:
    """Store the terms of a vote and the addresses of those who will stamp for it."""
    await tx.execute(
        "insert into election (id, proposal_id, salt, terms, frozen_at, opens_at, closes_at,"
        " published_by) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        election.id,
        election.proposal_id,
        election.salt,
        election.terms.document(),
        election.frozen_at,
        election.opens_at,
        election.closes_at,
        election.published_by,
    )
    await tx.execute(
        "insert into election_issuer (election_id, issuer_no, url)"
        " select $1, n - 1, url from unnest($2::text[]) with ordinality as i(url, n)",
        election.id,
        list(urls),
    )


async def store_manifest(tx: Transaction, *, election_id: UUID, manifest: Manifest) -> None:
    """Fix the manifest where none is; whoever comes second changes nothing."""
    await tx.execute(
        "update election set manifest = $2, manifest_hash = $3 where id = $1 and manifest is null",
        election_id,
        manifest.document(),
        manifest.hash(),
    )


async def list_issuers(reader: Transaction, *, election_id: UUID) -> list[IssuerAnswers]:
    """Return the issuers of an election in their order."""
    rows = await reader.rows(
        "select issuer_no, url, name, moduli, seal_key, seal from election_issuer"
        " where election_id = $1 order by issuer_no",
        election_id,
    )
    return [
        IssuerAnswers(
            row["issuer_no"],
            row["url"],
            None
            if row["name"] is None
            else Issuer(row["name"], tuple(row["moduli"]), row["seal_key"]),
            row["seal"],
        )
        for row in rows
    ]


async def store_keys(tx: Transaction, *, election_id: UUID, issuer_no: int, issuer: Issuer) -> None:
    """Keep the keys an issuer gave for an election, where none are kept."""
    await tx.execute(
        "update election_issuer set name = $3, moduli = $4, seal_key = $5"
        " where election_id = $1 and issuer_no = $2 and moduli is null",
        election_id,
        issuer_no,
        issuer.name,
        list(issuer.moduli),
        issuer.seal_key,
    )


async def store_seal(tx: Transaction, *, election_id: UUID, issuer_no: int, seal: bytes) -> None:
    """Keep an issuer's seal on the manifest, where none is kept."""
    await tx.execute(
        "update election_issuer set seal = $3"
        " where election_id = $1 and issuer_no = $2 and seal is null",
        election_id,
        issuer_no,
        seal,
    )


async def find_tally(reader: Transaction, *, election_id: UUID) -> TallyRow | None:
    """Return the tally of an election, or None."""
    row = await reader.row(
        "select id, election_id, rule, result, counted, package_hash, tallied_at from tally"
        " where election_id = $1",
        election_id,
    )
    if row is None:
        return None
    return TallyRow(**{**dict(row), "counted": tuple(row["counted"])})


async def record_tally(
    tx: Transaction,
    *,
    tally_id: UUID,
    election_id: UUID,
    rule: str,
    result: Mapping[str, Any],
    counted: Sequence[int],
    package_hash: bytes,
) -> None:
    """Write down what was counted; the database checks stage, time and terms itself."""
    await tx.execute(
        "select record_tally($1, $2, $3, $4, $5, $6)",
        tally_id,
        election_id,
        rule,
        dict(result),
        list(counted),
        package_hash,
    )


async def enact_tally(
    tx: Transaction, *, version_id: UUID, tally_id: UUID, effective_from: datetime, now: datetime
) -> None:
    """Let a tally be policy from a moment on; the database takes key and value from it."""
    await tx.execute(
        "select enact_tally($1, $2, $3, $4)", version_id, tally_id, effective_from, now
    )


async def earliest_effect(reader: Transaction, *, key: str, now: datetime) -> datetime:
    """Return the first moment after the full notice, and after whatever was decided before."""
    moment: datetime = await reader.value(
        "select greatest(statutory_end($2, 'notice_s'), (select max(effective_from)"
        " + interval '1 microsecond' from policy_version where key = $1))",
        key,
        now,
    )
    return moment


async def find_enactment(reader: Transaction, *, tally_id: UUID) -> Any | None:
    """Return key, value and first moment of the policy that a tally set, or None."""
    return await reader.row(
        "select id, key, value, effective_from from policy_version where tally_id = $1", tally_id
    )


async def list_enacted(reader: Transaction, *, kind: str, key: str | None, but: UUID) -> list[UUID]:
    """Return the enacted proposals about the same matter as another one."""
    rows = await reader.rows(
        "select id from proposal where stage = 'enacted' and kind = $1"
        " and key is not distinct from $2 and id <> $3 order by id",
        kind,
        key,
        but,
    )
    return [row["id"] for row in rows]


async def insert_faults(
    tx: Transaction, *, election_id: UUID, faults: Sequence[tuple[str, str]]
) -> None:
    """Keep what our own recount found wrong."""
    await tx.execute(
        "insert into election_fault (election_id, number, kind, detail)"
        " select $1, n - 1, kind, detail from unnest($2::text[], $3::text[])"
        " with ordinality as f(kind, detail, n)",
        election_id,
        [kind for kind, _ in faults],
        [detail for _, detail in faults],
    )


async def add_alarm(tx: Transaction, *, election_id: UUID, kind: Alarm) -> bool:
    """Note that all members are told what is wrong with a vote; False where they were before."""
    added: bool | None = await tx.value(
        "insert into election_alarm (election_id, kind) values ($1, $2)"
        " on conflict do nothing returning true",
        election_id,
        kind,
    )
    return bool(added)


async def list_faults(reader: Transaction, *, election_id: UUID) -> list[Any]:
    """Return kind and detail of each fault that our own recount found."""
    return await reader.rows(
        "select kind, detail from election_fault where election_id = $1 order by number",
        election_id,
    )


def _election(row: Any) -> Election:
    return Election(
        id=UUID(int=row["id"].int),
        proposal_id=UUID(int=row["proposal_id"].int),
        salt=row["salt"],
        terms=terms_from(row["terms"]),
        manifest=None if row["manifest"] is None else manifest_from(row["manifest"]),
        frozen_at=row["frozen_at"],
        opens_at=row["opens_at"],
        closes_at=row["closes_at"],
        published_by=row["published_by"],
    )
