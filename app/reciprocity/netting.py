"""What many sisters pay each other in one round, worked out from statements that both signed."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.reciprocity import papers
from app.reciprocity.rules import StatementState
from governance.clearing import Position


def open_positions(statements: Iterable[Mapping[str, Any]]) -> list[Position]:
    """Return who owes whom by statements that both signed and nobody has settled, each once.

    Statements are as `GET /v1/peers/{peer_id}/statements` shows them, of any side or of both. An
    amount below zero stands the other way. Refused (ValueError): what is no statement, a signature
    that does not hold, two statements of one month between the same two that say different things.
    """
    known: dict[tuple[str, ...], Mapping[str, Any]] = {}
    settled: set[tuple[str, ...]] = set()
    for statement in statements:
        try:
            is_agreed = statement["state"] == StatementState.AGREED
            paper = _signed_paper(statement) if is_agreed else None
            is_settled = statement["settled_at"] is not None
        except (AttributeError, KeyError, TypeError) as wrong:
            raise ValueError("this is no statement between two cooperatives") from wrong
        if paper is None:
            continue
        key = (paper["month"], paper["currency"], *sorted(paper["nets"]))
        if known.setdefault(key, paper) != paper:
            raise ValueError(f"two statements of {paper['month']} between the same two differ")
        if is_settled:
            settled.add(key)
    standing = [paper for key, paper in sorted(known.items()) if key not in settled]
    return [_position(paper) for paper in standing]


def _position(paper: Mapping[str, Any]) -> Position:
    one, other = sorted(paper["nets"])
    return Position(one, other, paper["currency"], paper["nets"][other])


def _signed_paper(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return the paper of an agreed statement, of which both signatures hold."""
    paper: dict[str, Any] = statement["paper"]
    nets, signers = paper["nets"], set()
    for side in ("own", "their"):
        key = bytes.fromhex(statement[f"{side}_public_key"])
        if not papers.is_signed(paper, signature=statement[f"{side}_signature"], public_key=key):
            raise ValueError(f"a signature under the statement of {paper['month']} does not hold")
        signers.add(str(papers.peer_id_of(key)))
    if paper["format"] != papers.STATEMENT or signers != set(nets) or sum(nets.values()) != 0:
        raise ValueError(f"the statement of {paper['month']} is not of the two who signed it")
    return paper
