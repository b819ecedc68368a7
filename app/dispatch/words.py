"""What drivers are told, in their own language: the texts of `words.toml`, filled in."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a language counts: how far "one" goes, and the marks in and after a number."""

    most_for_one: int
    least_for_one: int
    thousands: str
    decimal: str
    before_percent: str


GRAMMARS = MappingProxyType(
    {
        "en": Grammar(1, 1, thousands=",", decimal=".", before_percent=""),
        "nl": Grammar(1, 1, thousands=".", decimal=",", before_percent=""),
        # In French nought is singular; thousands and the sign stand behind a narrow space.
        "fr": Grammar(1, 0, thousands="\u202f", decimal=",", before_percent="\u202f"),
    }
)
"""The languages there are texts in."""

_TEXTS: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)


def say(key: str, *, language: str, count: int | None = None, **values: str) -> str:
    """Return the text `key`, such as "offer.nearer", with its number and values filled in.

    Refused: a key, a language or a form that has no text, a value that is missing.
    """
    group, _, name = key.partition(".")
    text, grammar = _TEXTS[group][name][language], GRAMMARS[language]
    if count is None:
        assert isinstance(text, str), f"{key} needs a number"
        return text.format(**values)
    form = text[_form(count, grammar, zero="zero" in text)]
    return str(form).format(count=_whole(count, grammar), **values)


def share(part: float, *, language: str) -> str:
    """Return a share of one as a percentage with one decimal, such as "0.3%"."""
    grammar = GRAMMARS[language]
    return f"{part * 100:.1f}".replace(".", grammar.decimal) + f"{grammar.before_percent}%"


def choose_language(accepted: str | None, *, own: str) -> str:
    """Return the language to answer in: what the request prefers, else the member's own.

    `accepted` is an Accept-Language header (RFC 9110, 12.5.4). A tag such as nl-BE is served in
    its language. Where nothing fits, English.
    """
    wishes = [wish for text in (accepted or "").split(",") if (wish := _wish(text)) is not None]
    # A stable sort: of equal weights the first named comes first.
    tags = [tag for tag, weight in sorted(wishes, key=lambda wish: -wish[1]) if weight > 0]
    for tag in (*tags, own):
        language = tag.lower().partition("-")[0]
        if language in GRAMMARS:
            return language
    return DEFAULT_LANGUAGE


def _wish(text: str) -> tuple[str, float] | None:
    """Return tag and weight of one wish; None where it makes no sense."""
    tag, _, weight = text.partition(";")
    try:
        return tag.strip(), float(weight.strip().removeprefix("q=") or 1)
    except ValueError:
        return None


def _form(count: int, grammar: Grammar, *, zero: bool) -> str:
    if count == 0 and zero:
        return "zero"
    return "one" if grammar.least_for_one <= count <= grammar.most_for_one else "other"


def _whole(number: int, grammar: Grammar) -> str:
    return f"{number:,}".replace(",", grammar.thousands)
