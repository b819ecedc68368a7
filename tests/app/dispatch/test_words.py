"""Promises about the texts: in every language, whole, and chosen as the reader asked."""

import string
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.dispatch import words
from app.dispatch.explain import offer_sentences, round_sentences
from app.dispatch.words import GRAMMARS, choose_language, say, share
from matching import costs
from matching.passed_over import PassedOver, WhyNot
from matching.problem import Fallback

LANGUAGES = list(GRAMMARS)
TEXTS = tomllib.loads(Path(words.__file__).with_name("words.toml").read_text(encoding="utf-8"))
KEYS = [(group, name) for group, texts in TEXTS.items() for name in texts]


def forms(text: str | dict[str, str]) -> dict[str, str]:
    return {"": text} if isinstance(text, str) else text


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(("group", "name"), KEYS)
def test_every_text_is_there_in_every_language_with_the_same_forms_and_blanks(
    group: str, name: str
) -> None:
    by_language = TEXTS[group][name]

    assert set(by_language) == set(LANGUAGES)
    assert len({frozenset(forms(text)) for text in by_language.values()}) == 1
    for form in forms(by_language["en"]):
        # French says "personne d'autre" where English says "the only one": one needs no number.
        assert len({frozenset(blanks(forms(text)[form])) for text in by_language.values()}) == 1
    assert len({str(text) for text in by_language.values()}) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("group", "name"), KEYS)
def test_a_sentence_begins_large_and_ends_with_a_full_stop(
    group: str, name: str, language: str
) -> None:
    for text in forms(TEXTS[group][name][language]).values():
        assert text == text.strip()
        if group != "term":
            assert text[0].isupper() or text.startswith("{count}")
            assert text.endswith(".")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cost_term_has_a_plain_name(language: str) -> None:
    named = [
        *costs.EDGE_TERMS,
        *costs.SOON_FREE_TERMS,
        *costs.STAYING_TERMS,
        *costs.LATE_TERMS,
        *costs.FAIRNESS_TERMS,
    ]
    labels = {say(f"term.{name}", language=language) for name in named}

    assert len(labels) == len(named)


def every_offer() -> Iterator[dict[str, Any]]:
    for rank, candidates in ((1, 1), (1, 2), (2, 2), (3, 1200)):
        for elsewhere, runner_up_cost_s in (
            (None, None),
            (True, 10.0),
            (False, 50.0),
            (False, 51.0),
        ):
            for terms in ([], [{"name": "fairness", "cost_s": 1.0}]):
                for gap in (None, 0.0, 0.0034):
                    yield {
                        "candidates": candidates,
                        "rank": rank,
                        "terms": terms,
                        "cost_s": 50.0,
                        "runner_up_cost_s": runner_up_cost_s,
                        "runner_up_took_another_ride": elsewhere,
                        "driver_price_s": None if gap is None else -1.2,
                        "rider_price_s": None if gap is None else gap * 10_000 - 1,
                        "fallback": Fallback.OVERRAN if gap is None else None,
                        "gap": gap,
                        "is_estimate": True,
                    }


def every_round() -> Iterator[PassedOver]:
    for why in WhyNot:
        for reach in (0, 1, 2000):
            for rank in (1, 2, 3):
                for extra_ds in (None, -5, 0, 10, 123_456):
                    yield PassedOver(
                        why,
                        riders=3,
                        drivers=4,
                        riders_in_reach=reach,
                        rank=rank,
                        pickup_s=90.0,
                        chosen_pickup_s=60.0,
                        extra_ds=extra_ds,
                    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_has_an_unfilled_blank(language: str) -> None:
    told = [offer_sentences(offer, language=language) for offer in every_offer()]
    told += [round_sentences(passed, language=language) for passed in every_round()]

    for sentence in {sentence for sentences in told for sentence in sentences}:
        assert not set("{}") & set(sentence), sentence
        assert "None" not in sentence
        assert "'one'" not in sentence


def test_the_reason_of_an_offer_is_told_in_plain_words() -> None:
    offer = {
        "candidates": 5,
        "rank": 2,
        "terms": [],
        "cost_s": 60.0,
        "runner_up_cost_s": 30.0,
        "runner_up_took_another_ride": True,
        "is_estimate": False,
    }

    assert offer_sentences(offer, language="en") == [
        "5 drivers were near enough, you among them.",
        "One of them could have been there sooner.",
        "But this way all riders together wait less.",
        "The other driver who came closest to this choice went to another rider.",
        "Declining costs you nothing.",
    ]


@pytest.mark.parametrize(
    ("language", "count", "form"),
    [
        ("en", 0, "other"),
        ("en", 1, "one"),
        ("nl", 2, "other"),
        ("fr", 0, "one"),
        ("fr", 2, "other"),
    ],
)
def test_each_language_counts_its_own_way(language: str, count: int, form: str) -> None:
    assert say("round.reach", language=language, count=count) == (
        TEXTS["round"]["reach"][language][form].format(count=count)
    )


def test_numbers_are_written_as_each_language_writes_them() -> None:
    assert [share(0.0034, language=one) for one in LANGUAGES] == ["0.3%", "0,3%", "0,3\u202f%"]
    assert "2,000" in say("round.reach", language="en", count=2000)
    assert "2.000" in say("round.reach", language="nl", count=2000)
    assert "2\u202f000" in say("round.reach", language="fr", count=2000)


@pytest.mark.parametrize(
    ("accepted", "own", "chosen"),
    [
        (None, "en", "en"),
        (None, "fr-BE", "fr"),
        (None, "de-LI", "en"),
        ("nl-BE", "fr", "nl"),
        ("NL", "fr", "nl"),
        ("fr;q=0.5, nl;q=0.9", "en", "nl"),
        ("fr, nl", "en", "fr"),
        ("de, *;q=0.1", "nl", "nl"),
        ("fr;q=0, nl;q=0.1", "en", "nl"),
        ("fr;q=0", "nl", "nl"),
        ("fr;q=much, nl", "en", "nl"),
        ("", "nl", "nl"),
        (",;,=", "nl", "nl"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_readers_own(
    accepted: str | None, own: str, chosen: str
) -> None:
    assert choose_language(accepted, own=own) == chosen
