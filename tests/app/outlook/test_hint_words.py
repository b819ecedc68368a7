"""Hints are told in plain words, whole in every language, and always as advice."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from app.dispatch.words import GRAMMARS, say
from app.outlook.models import Basis
from app.outlook.schemas import Advice, WaitingPlaceView
from app.outlook.service import AHEAD_S, hint_sentences

NOW = datetime(2026, 5, 22, 15, tzinfo=UTC)


def hint(
    name: str = "Städtle",
    *,
    drive_s: int = 240,
    expected: float = 3.1,
    there: int = 1,
    basis: Basis = Basis.HISTORY,
) -> WaitingPlaceView:
    return WaitingPlaceView.model_validate(
        {
            "place": {"lat": 47.1, "lng": 9.5, "name": name},
            "drive_s": drive_s,
            "expected_requests": expected,
            "within_s": AHEAD_S,
            "drivers_there": there,
            "based_on": basis,
            "made_at": NOW,
            "good_until": NOW + timedelta(minutes=14),
        }
    )


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            [
                "A better place to wait: Städtle, about 4 minutes' drive away.",
                "About 3 riders are expected there in the next 30 minutes.",
                "One other driver is there or on the way there.",
            ],
        ),
        (
            "nl",
            [
                "Een betere plek om te wachten: Städtle, ongeveer 4 minuten rijden.",
                "Er worden daar de komende 30 minuten ongeveer 3 reizigers verwacht.",
                "Eén andere chauffeur is daar of onderweg daarheen.",
            ],
        ),
        (
            "fr",
            [
                "Un meilleur endroit pour attendre : Städtle, à environ 4 minutes de route.",
                "Environ 3 demandes y sont attendues dans les 30 prochaines minutes.",
                "Un autre chauffeur y est ou est en route.",
            ],
        ),
    ],
)
def test_a_hint_says_where_and_gives_its_numbers_as_the_reason(
    language: str, sentences: list[str]
) -> None:
    assert hint_sentences(Advice.WAIT_THERE, hint(), language=language)[:3] == sentences


@pytest.mark.parametrize("language", list(GRAMMARS))
def test_every_hint_is_whole_says_what_it_rests_on_and_binds_nobody(language: str) -> None:
    for name, drive_s, expected, there, basis in product(
        ("", "Städtle"), (5, 60, 900), (0.2, 1.0, 12.6), (0, 1, 7), Basis
    ):
        told = hint_sentences(
            Advice.WAIT_THERE,
            hint(name, drive_s=drive_s, expected=expected, there=there, basis=basis),
            language=language,
        )
        assert not set("{}") & set(" ".join(told))
        assert (name in told[0]) if name else ":" not in told[0]
        assert told[-2:] == [
            say(f"hint.{basis}", language=language),
            say("hint.advice", language=language),
        ]


@pytest.mark.parametrize("language", list(GRAMMARS))
def test_without_a_hint_one_sentence_says_why(language: str) -> None:
    why = [advice for advice in Advice if advice is not Advice.WAIT_THERE]
    told = [hint_sentences(advice, None, language=language) for advice in why]

    assert all(len(sentences) == 1 for sentences in told)
    assert len({sentences[0] for sentences in told}) == len(why)
