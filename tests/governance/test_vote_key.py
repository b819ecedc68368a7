"""Promises of the vote key and its twelve words, with vectors of BIP-39."""

import hashlib

import pytest

from governance.vote_key import VoteKey, is_signed_by, new_vote_key, vote_key_from_words
from governance.word_list import WORDS


@pytest.mark.parametrize(
    ("entropy", "words"),
    [
        ("00" * 16, "abandon " * 11 + "about"),
        ("7f" * 16, "legal winner thank year wave sausage worth useful legal winner thank yellow"),
        ("ff" * 16, "zoo " * 11 + "wrong"),
    ],
)
def test_words_are_the_published_ones(entropy: str, words: str) -> None:
    assert " ".join(VoteKey(bytes.fromhex(entropy)).words()) == words


def test_the_list_is_the_published_one() -> None:
    published = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    assert hashlib.sha256("".join(f"{word}\n" for word in WORDS).encode()).hexdigest() == published


def test_a_key_comes_back_from_its_words_however_they_were_typed() -> None:
    key = new_vote_key()
    typed = [f" {word.upper()} " for word in key.words()]
    assert vote_key_from_words(typed).public == key.public


def test_swapped_and_unknown_words_are_refused() -> None:
    words = list(VoteKey(bytes(range(16))).words())
    with pytest.raises(ValueError, match="word 3 is not on the list"):
        vote_key_from_words([*words[:2], "meent", *words[3:]])
    with pytest.raises(ValueError, match="do not belong together"):
        vote_key_from_words([words[1], words[0], *words[2:]])
    with pytest.raises(ValueError, match="12 words"):
        vote_key_from_words(words[:11])


def test_a_signature_is_of_one_key_over_one_message() -> None:
    key, other = new_vote_key(), new_vote_key()
    signature = key.sign(b"message")
    assert is_signed_by(key.public, message=b"message", signature=signature)
    assert not is_signed_by(other.public, message=b"message", signature=signature)
    assert not is_signed_by(key.public, message=b"massage", signature=signature)
    assert not is_signed_by(b"short", message=b"message", signature=signature)


def test_a_key_that_is_printed_tells_nothing() -> None:
    key = VoteKey(bytes(range(16)))
    assert "0102" not in repr(key)
    assert "\\x01" not in repr(key)
