"""What one issuer, a rogue cooperative and both together can do, as `meent-verify` sees it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.issuer import papers
from app.issuer.folder import read_folder
from app.issuer.keys import KeyStore
from governance.ballot_box import Ballot, BallotBox, cast, public_package
from governance.credential import (
    Credential,
    IssuanceLog,
    publish_log,
    publish_revocation,
    receive_credential,
    request_credential,
    revoke,
    stamp,
)
from governance.verify import FaultKind, Recount, recount
from governance.vote_key import new_vote_key
from tests.app.issuer.conftest import Vote
from tests.app.issuer.test_logs import logs_of, stamped
from tests.issuers import Cooperative, Person, ask_stamp, public_hex


async def voted(vote: Vote, person: Person, value: int) -> Ballot:
    key = new_vote_key()
    credentials = [await stamped(vote, person, key, issuer_no=number) for number in range(2)]
    return cast(vote.manifest, key=key, value=value, credentials=credentials)


async def counted(
    vote: Vote,
    ballots: Sequence[Ballot],
    *,
    revocations: Sequence[dict[str, Any]] = (),
    logs: Sequence[dict[str, Any]] | None = None,
) -> Recount:
    """What anybody finds who recounts the public package."""
    box = BallotBox().with_batch(ballots)
    board_key = vote.cooperative.board
    seals = [
        bytes.fromhex(
            (await vote.cooperative.seal(issuer, vote.manifest, vote.rolls)).json()["seal"]
        )
        for issuer in vote.issuers
    ]
    package = public_package(
        vote.manifest,
        seals=seals,
        rolls=[[person.member for person in roll] for roll in vote.rolls],
        issuance=await logs_of(vote) if logs is None else logs,
        revocations=revocations,
        box=box,
        roots=[
            box.sign_root(
                vote.manifest, board_key=board_key, published_at=vote.manifest.published_by
            )
        ],
        result=None,
    )
    return recount(package | {"result": recount(package).result})


def keys_of(folder: Path, vote: Vote) -> Any:
    """What a dishonest keeper has: the private keys in the own folder."""
    return KeyStore(read_folder(folder), passphrase=None).load(vote.manifest.election, houses=1)


def stamped_by_hand(folder: Path, vote: Vote, key: Any, *, issuer_no: int) -> Credential:
    """A stamp that no log names."""
    request = request_credential(vote.manifest, vote_key=key.public, issuer_no=issuer_no)
    answer = stamp(request.blinded, key=keys_of(folder, vote).houses[0])
    return receive_credential(vote.manifest, request=request, answer=answer)


async def test_an_honest_vote_is_recounted_without_fault(
    vote: Vote, cooperative: Cooperative
) -> None:
    first, second, ended, third, _ = vote.members
    ballots = [await voted(vote, first, 1200), await voted(vote, second, 1300)]
    stamped_then = [
        (await cooperative.revoke(issuer, vote.manifest, ended)).json()["stamped"]
        for issuer in vote.issuers
    ]
    revocation = revoke(
        ended.member,
        logs=[IssuanceLog(number, 0, tuple(names)) for number, names in enumerate(stamped_then)],
    )
    ballots.append(await voted(vote, third, 1300))

    found = await counted(
        vote,
        ballots,
        revocations=[
            publish_revocation(vote.manifest, revocation=revocation, board_key=cooperative.board)
        ],
    )

    assert found.faults == []
    assert found.result == {"value": 1300}


async def test_one_dishonest_issuer_makes_no_ballot_that_counts(
    vote: Vote, folders: tuple[Path, Path]
) -> None:
    honest = [await voted(vote, person, 1300) for person in vote.members[:2]]
    key = new_vote_key()
    own = stamped_by_hand(folders[0], vote, key, issuer_no=0)
    twice = cast(vote.manifest, key=key, value=1000, credentials=[own, own])

    found = await counted(vote, [*honest, twice])

    assert {fault.kind for fault in found.faults} == {FaultKind.DISHONEST_ISSUER}
    assert found.result == {"value": 1300}


async def test_one_dishonest_issuer_does_not_help_a_member_to_two_ballots(
    vote: Vote, folders: tuple[Path, Path]
) -> None:
    """The honest issuer keeps to one stamp, so the second key lacks its half."""
    person, second_key = vote.members[0], new_vote_key()
    ballot = await voted(vote, person, 1300)
    by_hand = stamped_by_hand(folders[0], vote, second_key, issuer_no=0)
    _, body = person.ask(vote.manifest, issuer_no=1, vote_key=second_key)

    refused = await ask_stamp(vote.issuers[1], vote.manifest, body)
    more = cast(vote.manifest, key=second_key, value=1000, credentials=[by_hand])
    found = await counted(vote, [ballot, more])

    assert refused.status_code == 409
    assert {fault.kind for fault in found.faults} == {FaultKind.DISHONEST_ISSUER}


async def test_one_dishonest_issuer_can_refuse_a_member_and_the_logs_show_it(vote: Vote) -> None:
    person = vote.members[0]
    await stamped(vote, person, new_vote_key(), issuer_no=1)

    logs = [log["members"] for log in await logs_of(vote)]

    assert logs == [[], [person.member]]


async def test_an_issuer_that_drops_a_name_from_its_log_is_caught_by_the_count(
    vote: Vote, folders: tuple[Path, Path]
) -> None:
    ballots = [await voted(vote, person, 1300) for person in vote.members[:3]]
    honest = await logs_of(vote)
    short = publish_log(
        vote.manifest,
        log=IssuanceLog(0, 0, tuple(honest[0]["members"][:2])),
        seal_key=keys_of(folders[0], vote).seal,
    )

    found = await counted(vote, ballots, logs=[short, honest[1]])

    assert {fault.kind for fault in found.faults} == {FaultKind.MORE_BALLOTS}


async def test_all_issuers_together_cannot_exceed_the_names_on_their_logs(
    vote: Vote, folders: tuple[Path, Path]
) -> None:
    ballots = [await voted(vote, person, 1300) for person in vote.members[:2]]
    key = new_vote_key()
    by_hand = [
        stamped_by_hand(folder, vote, key, issuer_no=number)
        for number, folder in enumerate(folders)
    ]
    ballots.append(cast(vote.manifest, key=key, value=1000, credentials=by_hand))

    found = await counted(vote, ballots)

    assert {fault.kind for fault in found.faults} == {FaultKind.MORE_BALLOTS}


async def test_a_cooperative_that_puts_its_own_key_on_a_line_is_seen_by_who_looks(
    vote: Vote, cooperative: Cooperative
) -> None:
    """No issuer can tell whose key it is. This is the limit: only the member can, who looks."""
    victim, thief = vote.members[0], Ed25519PrivateKey.generate()
    rogue = await cooperative.terms(
        vote.issuers, vote.rolls, opens_at=vote.manifest.opens_at, election="rogue-2027"
    )
    lines = [[dict(person.line) for person in vote.members]]
    lines[0][0]["key"] = public_hex(thief)
    body = {"manifest": rogue.document(), "rolls": lines}
    path = papers.manifest_path(rogue.election)
    sealed = await cooperative.order(vote.issuers[0], path, body)
    forged = Person(victim.number, key=thief).ask(rogue, issuer_no=0)[1]

    taken = await ask_stamp(vote.issuers[0], rogue, forged | {"member": victim.member})
    line = f"/v1/votes/{rogue.election}/rolls/0/{victim.member}"
    shown = (await vote.issuers[0].get(line)).json()

    assert (sealed.status_code, taken.status_code) == (200, 200)
    assert shown["key"] != victim.line["key"]
    assert shown["is_stamped"]
