"""What a member can check about a vote without trusting anybody: findings in plain sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.voting.client import Voter
from app.voting.connection import send
from app.voting.errors import RefusedError, VotingError
from app.voting.plain_words import say_value
from app.voting.terms import Terms, own_place
from app.voting.wallet import KeptBallot, Vote
from governance.ballot_box import ballot_from, is_receipt, is_root
from governance.manifest import Manifest
from governance.merkle import is_consistent, is_included
from governance.verify import Recount, recount

Json = Mapping[str, Any]


class Verdict(StrEnum):
    """How a check came out."""

    GOOD = "good"
    WAITS = "waits"  # it cannot be known yet
    WRONG = "wrong"  # somebody broke a promise: keep your receipt and show it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    sentence: str


async def check(voter: Voter, election: str) -> list[Finding]:
    """Everything the member can look at now: terms, stamps, box, receipt, the published ballots.

    The newest root of the box is kept in the wallet, so that the next check can tell whether
    the box only grew. Refused (VotingError): no such vote, a server that does not answer.
    """
    terms = await voter.fetch_election(election)
    findings = [Finding(Verdict.GOOD, "The terms are the ones that all issuers signed.")]
    vote = voter.wallet.votes.get(election)
    # Whoever voted from this wallet checks without saying who asks; others must say who they are.
    if vote is not None:
        findings += await _check_stamps(voter, terms, place=(vote.house_no, vote.member), vote=vote)
    elif (standing := await voter.standing(election))["on_roll"]:
        place = own_place(terms, standing)
        findings.append(_OWN_LINE if voter.is_own_line(standing) else _NOT_OWN_LINE)
        findings += await _check_stamps(voter, terms, place=place, vote=None)
    findings.append(await _check_box(voter, terms, vote=vote))
    if vote is None or not vote.ballots:
        return [*findings, Finding(Verdict.WAITS, "You have not voted from this wallet.")]
    findings += await _check_ballots(voter, terms, vote=vote)
    findings += await _check_package(voter, terms, vote=vote)
    return findings


async def fetch_package(voter: Voter, election: str) -> dict[str, Any]:
    """The whole vote as published. Refused (VotingError): it was not counted yet."""
    try:
        return dict(await voter.cooperative.look(f"/v1/elections/{election}/package"))
    except RefusedError as refused:
        if refused.status == 409:
            raise VotingError("This vote was not counted yet. Look again later.") from refused
        raise


def recount_package(voter: Voter, election: str, package: Json) -> Recount:
    """The recount of a package, held against the member's own receipts and the root they kept."""
    vote = voter.wallet.votes.get(election)
    kept = [] if vote is None else [one.receipt for one in vote.ballots if one.receipt is not None]
    roots = [] if vote is None or vote.root is None else [vote.root]
    return recount(package, receipts=kept, roots=roots)


async def object_to_count(voter: Voter, election: str) -> list[str]:
    """The vote is void if the counted box lacks a ballot of this wallet that has a receipt.

    Return the leaves of those it lacks. Each receipt goes without a name. Refused (VotingError):
    no receipt here, nothing is missing, the vote was not counted, the objection window is over.
    """
    vote = voter.wallet.votes.get(election)
    kept = [] if vote is None else [one.receipt for one in vote.ballots if one.receipt is not None]
    if not kept:
        raise VotingError("There is no receipt of this vote here.")
    missing: list[str] = []
    for receipt in kept:
        try:
            await voter.cooperative.give(
                f"/v1/elections/{election}/objections", {"receipt": receipt}
            )
        except RefusedError as refused:
            # Of several missing ballots the first one voids the vote: no more is needed.
            if refused.slug != "ballot-is-there" and not missing:
                raise
        else:
            missing.append(str(receipt["leaf"]))
    if not missing:
        raise VotingError("Every ballot that you have a receipt for is in the box.")
    return missing


_OWN_LINE = Finding(Verdict.GOOD, "Your line on the roll is made of you and of your key.")
_NOT_OWN_LINE = Finding(
    Verdict.WRONG,
    "Your line on the roll is not made of you and of the key in this wallet. If you have not made"
    " another key since the roll was frozen, tell the auditors.",
)


async def _check_stamps(
    voter: Voter, terms: Terms, *, place: tuple[int, str], vote: Vote | None
) -> list[Finding]:
    """Whether issuers know the member's key, and name them exactly where this wallet asked."""
    house_no, member = place
    findings = []
    own = None if voter.wallet.member_key is None else voter.wallet.key.public.hex()
    for issuer_no, issuer in enumerate(terms.issuers):
        url = f"{issuer.url.rstrip('/')}/v1/votes/{terms.election}"
        try:
            logs = (await send(voter.open_http, "GET", f"{url}/log"))["logs"]
            named = member in next(log["members"] for log in logs if log["house"] == house_no)
            line = await send(voter.open_http, "GET", f"{url}/rolls/{house_no}/{member}")
            known = line["key"] in ("", own)
        except (VotingError, KeyError, StopIteration, TypeError):
            unread = f"What {issuer.name} holds cannot be read now."
            findings.append(Finding(Verdict.WAITS, unread))
            continue
        has_asked = vote is not None and vote.credentials[issuer_no] is not None
        findings.append(_SAYS_OF_STAMP[named, has_asked](issuer.name))
        if not known:
            other = f"{issuer.name} holds a key of yours that is not the one in this wallet."
            findings.append(Finding(Verdict.WRONG, other))
    return findings


_SAYS_OF_STAMP = {
    (True, True): lambda name: Finding(Verdict.GOOD, f"{name} stamped for you, and you asked."),
    (False, False): lambda name: Finding(
        Verdict.GOOD, f"{name} has stamped nothing in your name, and you have not asked."
    ),
    (True, False): lambda name: Finding(
        Verdict.WRONG,
        f"{name} has stamped in your name, but not for this wallet. If you did not ask from"
        " another device, tell the auditors.",
    ),
    (False, True): lambda name: Finding(
        Verdict.WRONG, f"{name} stamped for you, but its public log leaves you out."
    ),
}


async def _check_box(voter: Voter, terms: Terms, *, vote: Vote | None) -> Finding:
    """Whether the newest root is the board's and the box only grew since the one seen before."""
    path = f"/v1/elections/{terms.election}"
    seen = None if vote is None else vote.root
    try:
        proof = (
            await voter.cooperative.look(f"{path}/consistency?from={seen['size']}")
            if seen is not None and seen["size"]
            else None
        )
    except RefusedError as refused:
        if refused.status != 404:
            raise
        return Finding(Verdict.WRONG, "The box lost what was in it when you last looked.")
    roots = (await voter.cooperative.look(f"{path}/roots"))["items"]
    # A batch may have come in between: the proof is about the box that it names.
    shown = [root for root in roots if proof is None or root["size"] == proof["size"]]
    if not shown:
        if seen is None:
            return Finding(Verdict.WAITS, "The box has published nothing yet.")
        return Finding(Verdict.WRONG, "The box lost what was in it when you last looked.")
    newest = max(shown, key=lambda root: int(root["size"]))
    if not is_root(newest, manifest=terms.manifest):
        return Finding(Verdict.WRONG, "The box is not signed by the board.")
    if seen is not None and proof is not None and not _has_grown(seen, newest, proof["proof"]):
        return Finding(Verdict.WRONG, "The box was changed since you last looked.")
    if vote is not None:
        vote.root = dict(newest)
        await voter.keep()
    many = f"{newest['size']} ballots" if newest["size"] != 1 else "1 ballot"
    grown = ", and has only grown since you last looked" if seen is not None else ""
    return Finding(Verdict.GOOD, f"The box holds {many}, signed by the board{grown}.")


def _has_grown(old: Json, new: Json, proof: Sequence[str]) -> bool:
    return is_consistent(
        bytes.fromhex(old["root"]),
        old_size=old["size"],
        new_root=bytes.fromhex(new["root"]),
        new_size=new["size"],
        proof=[bytes.fromhex(one) for one in proof],
    )


async def _check_ballots(voter: Voter, terms: Terms, *, vote: Vote) -> list[Finding]:
    """Whether each ballot has the board's receipt, and lies in the box."""
    findings = []
    for kept in vote.ballots:
        said = say_value(terms.manifest, kept.document["value"])
        if kept.receipt is None:
            unsent = f"Your ballot for {said} was perhaps not sent: vote again."
            findings.append(Finding(Verdict.WAITS, unsent))
        elif not _fits(kept, terms.manifest):
            findings.append(Finding(Verdict.WRONG, f"The receipt for {said} is not the board's."))
        else:
            findings.append(await _check_inclusion(voter, terms, kept=kept))
    return findings


def _fits(kept: KeptBallot, manifest: Manifest) -> bool:
    assert kept.receipt is not None
    leaf = ballot_from(kept.document).leaf().hex()
    return is_receipt(kept.receipt, manifest=manifest) and kept.receipt["leaf"] == leaf


async def _check_inclusion(voter: Voter, terms: Terms, *, kept: KeptBallot) -> Finding:
    assert kept.receipt is not None
    leaf, due_at = kept.receipt["leaf"], kept.receipt["due_at"]
    said = say_value(terms.manifest, kept.document["value"])
    path = f"/v1/elections/{terms.election}/ballots/{leaf}/inclusion"
    try:
        shown = await voter.cooperative.look(path)
    except RefusedError as refused:
        if refused.status != 404:
            raise
        if voter.now() <= datetime.fromisoformat(due_at):
            waits = f"Your ballot for {said} is promised to be in the box by {due_at}."
            return Finding(Verdict.WAITS, waits)
        missing = f"Your ballot for {said} is missing from the box. {_how_to_object(terms)}"
        return Finding(Verdict.WRONG, missing)
    root = shown["root"]
    included = is_root(root, manifest=terms.manifest) and is_included(
        bytes.fromhex(leaf),
        index=shown["index"],
        size=root["size"],
        proof=[bytes.fromhex(one) for one in shown["proof"]],
        tree_root=bytes.fromhex(root["root"]),
    )
    if not included:
        return Finding(Verdict.WRONG, f"The box has no true proof of your ballot for {said}.")
    return Finding(Verdict.GOOD, f"Your ballot for {said} is in the box.")


async def _check_package(voter: Voter, terms: Terms, *, vote: Vote) -> list[Finding]:
    """Whether the published ballots hold the member's own, the newest one with their value."""
    try:
        package = await fetch_package(voter, terms.election)
    except RefusedError:
        raise
    except VotingError:
        return [Finding(Verdict.WAITS, "The ballots are published when the vote is counted.")]
    sent = [kept.document for kept in vote.ballots if kept.receipt is not None]
    if not sent:
        return []
    said = say_value(terms.manifest, sent[-1]["value"])
    mine = [one for one in package["ballots"] if one["vote_key"] == vote.key.public.hex()]
    if all(one in mine for one in sent) and mine:
        counts = max(mine, key=lambda one: int(one["sequence"]))
        if counts in [kept.document for kept in vote.ballots]:
            said = say_value(terms.manifest, counts["value"])
            return [Finding(Verdict.GOOD, f"Published and counted for you: {said}.")]
    lacking = f"The published ballots do not hold yours for {said}. {_how_to_object(terms)}"
    return [Finding(Verdict.WRONG, lacking)]


def _how_to_object(terms: Terms) -> str:
    return f"Stop the count by your receipt: meent vote object {terms.election}"
