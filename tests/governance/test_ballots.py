"""Promises of manifest, credentials, ballots and box."""

import json
from datetime import timedelta

import pytest

from governance.ballot_box import ballot_from, cast, check_ballot, is_receipt, is_root
from governance.credential import (
    is_credential,
    receive_credential,
    repeatable_request,
    request_credential,
    stamp,
)
from governance.manifest import (
    Manifest,
    canonical,
    is_sealed_by_all,
    manifest_from,
    seal_manifest,
)
from governance.merkle import is_consistent, is_included, root
from governance.vote_key import new_vote_key, vote_key_from_words
from tests.governance.election import CLOSES_AT, NUMBER, OPENS_AT, Election, election, keys


@pytest.fixture
def vote() -> Election:
    return election()


def changed(manifest: Manifest) -> Manifest:
    return manifest_from({**manifest.document(), "parameters": {**NUMBER, "quorums": [1]}})


def test_a_manifest_survives_publication_with_the_same_hash(vote: Election) -> None:
    published = json.loads(canonical(vote.manifest.document()))
    assert manifest_from(published).hash() == vote.manifest.hash()
    assert changed(vote.manifest).hash() != vote.manifest.hash()


def test_a_vote_is_ready_only_when_all_issuers_sealed_the_same_terms(vote: Election) -> None:
    seals = [seal_manifest(vote.manifest, seal_key=seal) for seal in keys().seals]
    assert is_sealed_by_all(vote.manifest, seals=seals)
    assert not is_sealed_by_all(vote.manifest, seals=seals[:1])
    assert not is_sealed_by_all(vote.manifest, seals=seals[::-1])
    assert not is_sealed_by_all(changed(vote.manifest), seals=seals)


def test_a_manifest_with_one_issuer_a_shared_or_a_short_key_is_refused(vote: Election) -> None:
    document = vote.manifest.document()
    first = document["issuers"][0]
    for issuers, why in (([first], "at least 2 issuers"), ([first, first], "share a key")):
        with pytest.raises(ValueError, match=why):
            manifest_from({**document, "issuers": issuers})
    short = {**first, "moduli": ["ff" * 128]}
    with pytest.raises(ValueError, match="2048 bits"):
        manifest_from({**document, "issuers": [short, document["issuers"][1]]})
    with pytest.raises(ValueError, match="opens, then closes"):
        manifest_from({**document, "closes_at": document["opens_at"]})
    with pytest.raises(ValueError, match="not a manifest"):
        manifest_from({**document, "remark": "added"})


def test_floats_have_no_canonical_text() -> None:
    with pytest.raises(ValueError, match="no floats"):
        canonical({"share": [0.15]})


def test_a_ballot_stamped_blindly_by_both_issuers_is_accepted(vote: Election) -> None:
    ballot = vote.vote(vote.rolls[0][0], 1_200, blindly=True)
    check_ballot(ballot, manifest=vote.manifest)
    assert ballot_from(json.loads(canonical(ballot.document()))) == ballot


def test_the_issuer_is_sent_nothing_that_stands_on_the_ballot(vote: Election) -> None:
    key = new_vote_key()
    request = request_credential(vote.manifest, vote_key=key.public, issuer_no=0)
    answer = stamp(request.blinded, key=keys().issuers[0][0])
    credential = receive_credential(vote.manifest, request=request, answer=answer)
    ballot = cast(vote.manifest, key=key, value=1_200, credentials=[credential])
    text = canonical(ballot.document()).decode()
    assert request.blinded.hex() not in text
    assert answer.hex() not in text


def test_the_words_of_a_key_ask_for_its_own_stamp_again_and_no_other(vote: Election) -> None:
    key = new_vote_key()
    request = repeatable_request(vote.manifest, key=key, issuer_no=1)
    again = repeatable_request(vote.manifest, key=vote_key_from_words(key.words()), issuer_no=1)
    assert again == request
    answer = stamp(request.blinded, key=keys().issuers[1][0])
    credential = receive_credential(vote.manifest, request=again, answer=answer)
    assert is_credential(vote.manifest, credential=credential, vote_key=key.public, issuer_no=1)
    houses = election(sizes=(3, 3))
    others = [
        repeatable_request(vote.manifest, key=key, issuer_no=0),
        repeatable_request(vote.manifest, key=new_vote_key(), issuer_no=1),
        repeatable_request(houses.manifest, key=key, issuer_no=1),
        repeatable_request(houses.manifest, key=key, issuer_no=1, house_no=1),
    ]
    assert len({one.prepared[:32] for one in [request, *others]}) == 5
    assert len({one.inverse for one in [request, *others]}) == 5


def test_what_the_board_signed_is_known_from_what_it_did_not(vote: Election) -> None:
    ballot = vote.vote(vote.rolls[0][0], 1_200)
    vote.publish([ballot], at=CLOSES_AT)
    receipt, signed = vote.receipt(ballot), vote.roots[0]
    assert is_receipt(receipt, manifest=vote.manifest)
    assert is_root(signed, manifest=vote.manifest)
    assert not is_receipt(signed, manifest=vote.manifest)
    assert not is_receipt({**receipt, "leaf": "00" * 32}, manifest=vote.manifest)
    assert not is_receipt({**receipt, "signature": "no hex"}, manifest=vote.manifest)
    assert not is_receipt({"leaf": receipt["leaf"]}, manifest=vote.manifest)
    assert not is_root({**signed, "size": 2}, manifest=vote.manifest)
    assert not is_root(signed, manifest=changed(vote.manifest))


def test_a_credential_fits_one_key_one_issuer_one_house_and_one_manifest(vote: Election) -> None:
    houses = election(sizes=(3, 3))
    key = new_vote_key()
    credential = houses.credential(key, issuer_no=0)
    fits = {"credential": credential, "vote_key": key.public, "issuer_no": 0, "house_no": 0}
    assert is_credential(houses.manifest, **fits)
    assert not is_credential(houses.manifest, **{**fits, "vote_key": new_vote_key().public})
    assert not is_credential(houses.manifest, **{**fits, "issuer_no": 1})
    assert not is_credential(houses.manifest, **{**fits, "house_no": 1})
    assert not is_credential(vote.manifest, **fits)


def test_the_box_refuses_what_is_not_a_whole_and_true_ballot(vote: Election) -> None:
    key, credentials = vote.register(vote.rolls[0][0])
    good = cast(vote.manifest, key=key, value=1_200, credentials=credentials)
    document = good.document()
    other = cast(vote.manifest, key=new_vote_key(), value=1_200, credentials=credentials)
    one_stamp = cast(vote.manifest, key=key, value=1_200, credentials=credentials[:1])
    for ballot, why in (
        (ballot_from({**document, "value": 2_000}), "not signed by its vote key"),
        (other, "issuer 0 is not for this ballot"),
        (one_stamp, "one credential of each issuer"),
        (ballot_from({**document, "house": 1}), "no house"),
    ):
        with pytest.raises(ValueError, match=why):
            check_ballot(ballot, manifest=vote.manifest)
    with pytest.raises(ValueError, match="other terms"):
        check_ballot(good, manifest=changed(vote.manifest))
    with pytest.raises(ValueError, match="canonical form"):
        ballot_from({**document, "signature": document["signature"].upper()})
    with pytest.raises(ValueError, match="not a ballot"):
        ballot_from({})


def test_the_box_only_grows_and_proves_it(vote: Election) -> None:
    ballots = [vote.vote(member, 1_200) for member in vote.rolls[0][:7]]
    vote.publish(ballots[:3], at=OPENS_AT + timedelta(days=1))
    old_root = root(vote.box.leaves())
    vote.publish(ballots[3:], at=CLOSES_AT)
    new_root = root(vote.box.leaves())
    shown = {"old_size": 3, "new_size": 7, "proof": vote.box.consistency(3)}
    assert is_consistent(old_root, new_root=new_root, **shown)
    index, proof = vote.box.inclusion(ballots[5].leaf())
    assert is_included(ballots[5].leaf(), index=index, size=7, proof=proof, tree_root=new_root)


def test_a_batch_lies_in_an_order_that_tells_no_time(vote: Election) -> None:
    ballots = [vote.vote(member, 1_200) for member in vote.rolls[0][:6]]
    vote.publish(ballots, at=CLOSES_AT)
    assert list(vote.box.leaves()) == sorted(ballot.leaf() for ballot in ballots)


def test_a_ballot_lies_in_the_box_once(vote: Election) -> None:
    ballot = vote.vote(vote.rolls[0][0], 1_200)
    with pytest.raises(ValueError, match="already in the box"):
        vote.box.with_batch([ballot, ballot])
    with pytest.raises(ValueError, match="already in the box"):
        vote.box.with_batch([ballot]).with_batch([ballot])
    with pytest.raises(ValueError, match="not in the box"):
        vote.box.inclusion(ballot.leaf())
