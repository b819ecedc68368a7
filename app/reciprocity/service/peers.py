"""Sisters: proposed by one person, confirmed by another, paused and resumed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.ledger.peers import open_peer_account
from app.reciprocity import papers
from app.reciprocity.errors import (
    OwnPeerProposal,
    PaperNotSigned,
    PeerDecided,
    PeerKeyInvalid,
    PeerKnown,
    PeerPaused,
)
from app.reciprocity.queries import peers as queries


@dataclass(frozen=True, slots=True)
class Own:
    """Ourselves among sisters: our key, and the id that is made of it."""

    key: Ed25519PrivateKey
    id: UUID


def own_of(key: Ed25519PrivateKey) -> Own:
    """Return who the holder of this key is."""
    return Own(key, papers.peer_id_of(papers.public_half(key)))


async def propose_peer(
    tx: Transaction,
    *,
    own: Own,
    name: str,
    base_url: str,
    public_key: bytes,
    they_may_owe_minor: int,
    we_may_owe_minor: int,
    proposed_by: UUID,
    now: datetime,
) -> UUID:
    """Register a sister that a second person has yet to confirm; return its id.

    Raises:
        PeerKeyInvalid: it is our own key.
        PeerKnown: a sister with this key is there.
    """
    peer_id = papers.peer_id_of(public_key)
    if peer_id == own.id:
        raise PeerKeyInvalid
    made = await queries.insert_peer(
        tx,
        peer_id=peer_id,
        name=name,
        base_url=base_url,
        public_key=public_key,
        they_may_owe_minor=they_may_owe_minor,
        we_may_owe_minor=we_may_owe_minor,
        proposed_by=proposed_by,
        now=now,
    )
    if made is None:
        raise PeerKnown
    return made


async def confirm_peer(
    tx: Transaction, *, peer_id: UUID, confirmed_by: UUID, now: datetime
) -> None:
    """Take a sister up: its account is open, and rides may be exchanged.

    Raises:
        NotFound: there is none.
        PeerDecided: it was confirmed before.
        OwnPeerProposal: the same person proposed it.
    """
    peer = await _lock(tx, peer_id=peer_id)
    if peer["confirmed_at"] is not None:
        raise PeerDecided
    if peer["proposed_by"] == confirmed_by:
        raise OwnPeerProposal
    account_id = await open_peer_account(
        tx, peer_id=peer_id, they_may_owe_minor=peer["they_may_owe_minor"], now=now
    )
    await queries.confirm_peer(
        tx, peer_id=peer_id, account_id=account_id, confirmed_by=confirmed_by, now=now
    )


async def pause_peer(
    tx: Transaction, *, peer_id: UUID, by: UUID, reason: str, now: datetime
) -> None:
    """Exchange no new rides; what was ridden is cleared as before.

    Raises:
        NotFound: there is none.
        PeerDecided: it is not confirmed, or paused already.
    """
    peer = await _lock(tx, peer_id=peer_id)
    if peer["confirmed_at"] is None or peer["paused_at"] is not None:
        raise PeerDecided
    await queries.set_pause(tx, peer_id=peer_id, by=by, reason=reason, at=now)


async def resume_peer(tx: Transaction, *, peer_id: UUID) -> None:
    """Exchange rides again.

    Raises:
        NotFound: there is none.
        PeerDecided: it is not paused.
    """
    peer = await _lock(tx, peer_id=peer_id)
    if peer["paused_at"] is None:
        raise PeerDecided
    await queries.set_pause(tx, peer_id=peer_id, by=None, reason=None, at=None)


async def get_peer(reader: Transaction, *, peer_id: UUID) -> Any:
    """Return a sister and what stands between us.

    Raises:
        NotFound: there is none.
    """
    peer = await queries.find_peer(reader, peer_id=peer_id)
    if peer is None:
        raise NotFound
    return peer


async def get_confirmed(reader: Transaction, *, peer_id: UUID) -> Any:
    """Return a sister with which we clear, be it paused.

    Raises:
        NotFound: there is none that two people registered.
    """
    peer = await get_peer(reader, peer_id=peer_id)
    if peer["confirmed_at"] is None:
        raise NotFound
    return peer


async def get_active(reader: Transaction, *, peer_id: UUID) -> Any:
    """Return a sister with which new rides are exchanged.

    Raises:
        NotFound: there is none.
        PeerPaused: not with this one, for now.
    """
    peer = await get_peer(reader, peer_id=peer_id)
    if peer["confirmed_at"] is None or peer["paused_at"] is not None:
        raise PeerPaused
    return peer


def check_signed(peer: Any, *, paper: dict[str, Any], signature: str) -> None:
    """Raise PaperNotSigned unless the sister signed this very paper."""
    if not papers.is_signed(paper, signature=signature, public_key=peer["public_key"]):
        raise PaperNotSigned


async def _lock(tx: Transaction, *, peer_id: UUID) -> Any:
    peer = await queries.lock_peer(tx, peer_id=peer_id)
    if peer is None:
        raise NotFound
    return peer
