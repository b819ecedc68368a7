"""A ballot's value in plain words, and back: percents, options by name, pots by share."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.voting.errors import VotingError
from governance.ballot_rule import BALLOT_RULES
from governance.manifest import Manifest
from governance.policy import NUMBER_POLICIES, Unit

NO_CHANGE = "no_change"
_TEXT_WORDS = {"yes": "yes", "no": "no", "abstain": "I abstain"}
_UNIT_WORDS = {
    Unit.SECONDS: " s",
    Unit.MINOR_PER_HOUR: " cents an hour",
    Unit.MINOR_PER_KM: " cents a km",
    Unit.MINOR: " cents",
    Unit.DAYS: " days",
    Unit.MONTHS: " months",
}
_PERCENT = re.compile(r"(\d{1,3})(?:[.,](\d{1,2}))?\s*%", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


def say_value(manifest: Manifest, value: Any) -> str:
    """The value as its voter would say it."""
    return _SPEAKERS[manifest.rule].say(manifest, value)


def say_choices(manifest: Manifest) -> str:
    """What a ballot may say, in one sentence."""
    return _SPEAKERS[manifest.rule].choices(manifest)


def read_value(manifest: Manifest, text: str) -> Any:
    """The value that the words mean. Refused (VotingError): what this vote does not take."""
    value = _SPEAKERS[manifest.rule].read(manifest, text.strip())
    try:
        admitted = value is not None and BALLOT_RULES[manifest.rule].admits(
            value, manifest.parameters
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise VotingError(f"The rule of this vote cannot be read: {wrong}.") from wrong
    if not admitted:
        raise VotingError(f"This vote does not take “{text}”. {say_choices(manifest)}")
    return value


def say_result(manifest: Manifest, result: Any) -> str:
    """What was decided, in words."""
    if "value" in result:
        return say_value(manifest, result["value"])
    if "winner" in result:
        return "no change" if result["winner"] == NO_CHANGE else str(result["winner"])
    if "carried" in result:
        votes = ", ".join(f"{result[said]} {said}" for said in _TEXT_WORDS)
        return f"{'carried' if result['carried'] else 'not carried'} ({votes})"
    shares = [Fraction(*share) * 100 for share in result["shares"]]
    return _pots(manifest, [f"{float(share):.1f} %" for share in shares])


def _unit(manifest: Manifest) -> Unit | None:
    policy = NUMBER_POLICIES.get(str(manifest.parameters.get("key")))
    return None if policy is None else policy.unit


def _say_number(manifest: Manifest, value: Any) -> str:
    unit = _unit(manifest)
    if unit is Unit.BASIS_POINTS:
        whole, part = divmod(value, 100)
        return f"{whole}.{part:02}".rstrip("0").rstrip(".") + " %"
    return f"{value}{'' if unit is None else _UNIT_WORDS[unit]}"


def _read_number(manifest: Manifest, text: str) -> int | None:
    percent = _PERCENT.fullmatch(text)
    if percent and _unit(manifest) is Unit.BASIS_POINTS:
        whole, part = percent.groups(default="")
        return int(whole) * 100 + int(part.ljust(2, "0"))
    return int(text) if _WHOLE.fullmatch(text) else None


def _number_choices(manifest: Manifest) -> str:
    low, high, grid = (manifest.parameters[name] for name in ("floor", "ceiling", "grid"))
    said = [_say_number(manifest, value) for value in (low, high, grid)]
    now = _say_number(manifest, manifest.parameters["status_quo"])
    percent = " Write it with the % sign." if _unit(manifest) is Unit.BASIS_POINTS else ""
    return f"It takes {said[0]} to {said[1]} in steps of {said[2]}; now it is {now}.{percent}"


def _read_order(_: Manifest, text: str) -> list[str]:
    return [option.strip() for option in text.split(",") if option.strip()]


def _say_order(_: Manifest, value: Any) -> str:
    named = ["no change" if option == NO_CHANGE else str(option) for option in value]
    return ", then ".join(named) or "no preference"


def _order_choices(manifest: Manifest) -> str:
    options = ", ".join([*manifest.parameters["options"], NO_CHANGE])
    return f"Write the options in your order, best first, with commas between: {options}."


def _read_budget(manifest: Manifest, text: str) -> list[int] | None:
    pots = list(manifest.parameters["pots"])
    given = [part.strip() for part in text.split(",")]
    if all("=" in part for part in given):
        named = {
            name.strip(): points.strip()
            for name, _, points in (part.partition("=") for part in given)
        }
        if len(named) != len(given) or not named.keys() <= set(pots):
            return None
        given = [named.get(pot, "0") for pot in pots]
    return [int(part) for part in given] if all(map(_WHOLE.fullmatch, given)) else None


def _pots(manifest: Manifest, shares: list[str]) -> str:
    return ", ".join(
        f"{pot} {share}" for pot, share in zip(manifest.parameters["pots"], shares, strict=True)
    )


def _say_budget(manifest: Manifest, value: Any) -> str:
    points = manifest.parameters["points"]
    return _pots(manifest, [f"{points_} of {points}" for points_ in value])


def _budget_choices(manifest: Manifest) -> str:
    pots = ", ".join(f"{pot}=…" for pot in manifest.parameters["pots"])
    return f"Divide {manifest.parameters['points']} points, for example: {pots}."


def _text_choices(_: Manifest) -> str:
    return "It takes yes, no or abstain."


@dataclass(frozen=True, slots=True)
class _Speaker:
    say: Callable[[Manifest, Any], str]
    read: Callable[[Manifest, str], Any]
    choices: Callable[[Manifest], str]


_NUMBER = _Speaker(_say_number, _read_number, _number_choices)
_SPEAKERS = {
    "number": _NUMBER,
    "two_houses": _NUMBER,
    "text": _Speaker(
        lambda _, value: _TEXT_WORDS[value], lambda _, text: text.lower(), _text_choices
    ),
    "choice": _Speaker(_say_order, _read_order, _order_choices),
    "budget": _Speaker(_say_budget, _read_budget, _budget_choices),
}
