"""Promises of the JavaScript module: in Node as in a browser it makes what governance makes."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from app.voting.module import module_hash, module_text
from governance.ballot_box import ballot_from, check_ballot
from governance.ballot_rule import BALLOT_RULES
from governance.credential import repeatable_request, stamp
from governance.manifest import canonical, seal_manifest
from governance.merkle import consistency_proof, inclusion_proof, leaf_hash, root
from governance.verify import recount
from governance.vote_key import new_vote_key, vote_key_from_words
from governance.word_list import WORDS
from tests.app.voting.node import Module, Refused, number, raw
from tests.governance.election import PUBLISHED_BY, Election, election, keys

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "governance" / "rfc9474_vectors.json").read_text()
)


@pytest.fixture
def module(tmp_path: Path) -> Module:
    return Module(tmp_path)


@pytest.fixture(scope="module")
def vote() -> Election:
    return election()


def ballots_by_module(
    module: Module, vote: Election, values: list[Any], *, house_no: int = 0
) -> list[dict[str, Any]]:
    """Ballots of new keys, made by the module alone but for the issuers' stamps."""
    document = vote.manifest.document()
    entropies = [new_vote_key().entropy for _ in values]
    asked = [
        ("requestCredential", document, {"entropy": raw(one), "issuer": issuer, "house": house_no})
        for one in entropies
        for issuer in range(2)
    ]
    requests = module.call_all(*asked)
    stamps = [
        stamp(request["blinded"], key=keys().issuers[request["issuer"]][house_no])
        for request in requests
    ]
    travelled = [
        request
        | {name: raw(request[name]) for name in ("prepared", "blinded")}
        | {"inverse": number(request["inverse"])}
        for request in requests
    ]
    credentials = module.call_all(
        *(
            ("receiveCredential", document, {"request": request, "stamp": answer.hex()})
            for request, answer in zip(travelled, stamps, strict=True)
        )
    )
    made = module.call_all(
        *(
            (
                "castBallot",
                document,
                {
                    "entropy": raw(entropy),
                    "value": value,
                    "credentials": credentials[2 * place : 2 * place + 2],
                    "sequence": 0,
                    "house": house_no,
                },
            )
            for place, (entropy, value) in enumerate(zip(entropies, values, strict=True))
        )
    )
    return list(made)


@pytest.mark.parametrize("vector", PUBLISHED["vectors"], ids=lambda vector: vector["name"])
def test_every_step_gives_the_bytes_of_rfc_9474(module: Module, vector: dict[str, Any]) -> None:
    p, q = int(PUBLISHED["p"], 16), int(PUBLISHED["q"], 16)
    modulus, inverse = p * q, int(vector["inv"], 16)
    salt = bytes.fromhex(vector["salt"])
    prepared = bytes.fromhex(vector["msg_prefix"]) + bytes.fromhex(PUBLISHED["msg"])
    signature = int(vector["sig"], 16)
    factor = pow(inverse, -1, modulus)
    answer = (signature * factor % modulus).to_bytes(512)
    given = {"modulus": number(modulus), "salt": raw(salt), "factor": number(factor)}
    terms = {"modulus": number(modulus), "saltBytes": len(salt), "inverse": number(inverse)}
    blinded, finished = module.call_all(
        ("blind", raw(prepared), given),
        ("finalize", raw(prepared), terms | {"blindSignature": raw(answer)}),
    )
    assert blinded["blinded"].hex() == vector["blinded_msg"]
    assert blinded["inverse"] == inverse
    assert finished.hex() == vector["sig"]
    with pytest.raises(Refused, match="no stamp"):
        module.call("finalize", raw(prepared + b"."), terms | {"blindSignature": raw(answer)})


def test_the_words_are_the_ones_of_governance_and_lead_to_the_same_key(module: Module) -> None:
    made = [new_vote_key() for _ in range(5)]
    words, *found = module.call_all(
        ("WORDS",),
        *(("entropyFrom", list(key.words())) for key in made),
        *(("wordsOf", raw(key.entropy)) for key in made),
        *(("publicKey", raw(key.entropy)) for key in made),
    )
    assert tuple(words) == WORDS
    assert found[:5] == [key.entropy for key in made]
    assert found[5:10] == [list(key.words()) for key in made]
    assert found[10:] == [key.public for key in made]


def test_words_with_a_slip_are_refused(module: Module) -> None:
    words = list(new_vote_key().words())
    with pytest.raises(Refused, match="word 3 is not on the list"):
        module.call("entropyFrom", [*words[:2], "meent", *words[3:]])
    with pytest.raises(Refused, match="12 words, got 11"):
        module.call("entropyFrom", words[:11])
    for other in WORDS[:64]:
        slipped = [*words[:11], other]
        try:
            vote_key_from_words(slipped)
        except ValueError:
            break
    with pytest.raises(Refused, match="do not belong together"):
        module.call("entropyFrom", slipped)


def test_documents_have_one_text_in_both_languages(module: Module) -> None:
    documents = [
        {"b": [1, -2, None, True], "a": {"é": 'ü\n"\\\t\u2028\x7f\x01', "": []}},
        {"\U0001f698": 1, "\uffff": 2, "Z": 3, "a": 4, "aa": 5},
        [2**53 - 1, "€ 12.50"],
    ]
    texts = module.call_all(*(("canonicalText", document) for document in documents))
    assert [text.encode() for text in texts] == [canonical(document) for document in documents]
    with pytest.raises(Refused, match="whole numbers"):
        module.call("canonicalText", {"share": 0.5})


def test_a_key_asks_for_the_same_stamp_in_both_languages(module: Module, vote: Election) -> None:
    key = new_vote_key()
    for issuer_no in range(2):
        here = repeatable_request(vote.manifest, key=key, issuer_no=issuer_no)
        there = module.call(
            "requestCredential",
            vote.manifest.document(),
            {"entropy": raw(key.entropy), "issuer": issuer_no, "house": 0},
        )
        assert there["blinded"] == here.blinded
        assert there["inverse"] == here.inverse
        assert there["prepared"] == here.prepared


def test_ballots_made_by_the_module_pass_every_check_of_the_box_and_the_recount(
    module: Module,
) -> None:
    vote = election()
    values = [1_200, 1_250, 1_300, 1_300, 1_350]
    made = [ballot_from(one) for one in ballots_by_module(module, vote, values)]
    for ballot in made:
        check_ballot(ballot, manifest=vote.manifest)
        assert BALLOT_RULES["number"].admits(ballot.value, vote.manifest.parameters)
    for member in vote.rolls[0][:5]:
        for log in vote.logs:
            log[0].append(member)
    vote.publish(made, at=PUBLISHED_BY)
    found = recount(vote.package(), receipts=[vote.receipt(ballot) for ballot in made])
    assert found.faults == []
    assert found.counted == [5]


def test_a_receipt_and_a_root_are_the_boards_alone(module: Module) -> None:
    vote = election()
    ballot = ballot_from(ballots_by_module(module, vote, [1_200])[0])
    vote.publish([ballot], at=PUBLISHED_BY)
    manifest, receipt = vote.manifest.document(), vote.receipt(ballot)
    given = {"manifest": manifest, "ballot": ballot.document()}
    answers = module.call_all(
        ("leafOf", ballot.document()),
        ("isReceipt", receipt, given),
        ("isReceipt", receipt | {"due_at": "2030-01-01T00:00:00Z"}, given),
        ("isReceipt", receipt, given | {"ballot": ballot.document() | {"value": 1_300}}),
        ("isRoot", vote.roots[0], {"manifest": manifest}),
        ("isRoot", vote.roots[0] | {"size": 2}, {"manifest": manifest}),
    )
    assert answers == [ballot.leaf(), True, False, False, True, False]


def test_the_module_names_false_terms(module: Module, vote: Election) -> None:
    manifest = vote.manifest.document()
    seals = [seal_manifest(vote.manifest, seal_key=seal).hex() for seal in keys().seals]
    member = vote.rolls[0][3]
    honest: dict[str, Any] = {"seals": seals, "rolls": vote.rolls, "member": member, "house": 0}
    module.call("checkTerms", manifest, honest)
    for change, words in (
        ({"seals": seals[::-1]}, "secretary did not sign"),
        ({"seals": seals[:1]}, "not every issuer"),
        ({"rolls": [vote.rolls[0][1:]]}, "not the frozen one"),
        ({"rolls": []}, "a roll is missing"),
        ({"member": "00" * 32}, "not on the roll"),
    ):
        with pytest.raises(Refused, match=words):
            module.call("checkTerms", manifest, honest | change)
    with pytest.raises(Refused, match="did not sign these terms"):
        module.call("checkTerms", manifest | {"question": "Another?"}, honest)


def test_proofs_of_the_box_hold_in_the_module_and_false_ones_do_not(module: Module) -> None:
    leaves = [leaf_hash(bytes([place])) for place in range(13)]
    included, consistent, shown = [], [], []
    for size in range(1, 14):
        index = random.Random(size).randrange(size)
        proof = [raw(one) for one in inclusion_proof(leaves[:size], index=index)]
        place = {"index": index, "size": size, "proof": proof, "root": raw(root(leaves[:size]))}
        included.append(("isIncluded", raw(leaves[index]), place))
        included.append(("isIncluded", raw(leaf_hash(b"other")), place))
        shown += [True, False]
    for old in range(1, 14):
        step = {
            "oldRoot": raw(root(leaves[:old])),
            "oldSize": old,
            "newRoot": raw(root(leaves)),
            "newSize": 13,
            "proof": [raw(one) for one in consistency_proof(leaves, old_size=old)],
        }
        consistent.append(("isConsistent", step))
        consistent.append(("isConsistent", step | {"oldRoot": raw(leaf_hash(b"other"))}))
    answers = module.call_all(*included, *consistent)
    assert answers == shown + [True, False] * 13


def test_the_module_stands_alone_and_its_hash_is_the_one_served() -> None:
    assert "import " not in module_text().replace("importKey", "")
    assert len(module_hash()) == 64
