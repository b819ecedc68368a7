"""Says why an offer was made, and why none was: what is stored, and plain sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from typing import Any

from app.assembly.policies import Policy
from app.dispatch.pools import ITERATIONS, SHARING_SEED, Join
from app.dispatch.words import say, share
from app.fares.rules import SHARING
from matching.passed_over import PassedOver, WhyNot
from matching.problem import Assignment, Pairing, Term, Weights

# An offer of an earlier release says less; what it does not say is left out.
_NOT_SAID: dict[str, Any] = {
    "fallback": None,
    "driver_price_s": None,
    "rider_price_s": None,
    "gap": None,
    "program_version": None,
    "weights": {},
    "policies": [],
    "added_s": None,
    "with_wheelchair": False,
}
# She was chosen, for a rider who need not be the nearest.
_CHOSEN = (WhyNot.WAS_CHOSEN, WhyNot.KEPT_FOR_BOOKED)


@cache
def program_version() -> str:
    """Return the version of this program."""
    return version("meent")


def explanation(
    pairing: Pairing,
    assignment: Assignment,
    *,
    riders: int,
    drivers: int,
    is_estimate: bool,
    weights: Weights,
    policies: Mapping[str, Policy],
) -> dict[str, Any]:
    """Return what explains an offer. It names no other driver and no other rider."""
    other = pairing.runner_up
    return {
        "candidates": pairing.candidate_count,
        "rank": pairing.rank,
        "terms": _terms(pairing.terms),
        "cost_s": pairing.cost_ds / 10,
        "runner_up_cost_s": None if other is None else other.cost_ds / 10,
        "runner_up_took_another_ride": None if other is None else other.serves is not None,
        "rider_price_s": _price_s(assignment.rider_price_ds, pairing.rider),
        "driver_price_s": _price_s(assignment.driver_price_ds, pairing.driver),
        "riders": riders,
        "drivers": drivers,
        "solver": assignment.solver,
        "solver_version": assignment.solver_version,
        "program_version": program_version(),
        "fallback": assignment.fallback,
        "gap": assignment.gap,
        "seed": assignment.seed,
        "weights": asdict(weights),
        "policies": _used(policies),
        "is_estimate": is_estimate,
    }


def join_explanation(
    join: Join, *, riders: int, is_estimate: bool, policies: Mapping[str, Policy]
) -> dict[str, Any]:
    """Return what explains an offer to join a shared run. It names nobody, there or elsewhere."""
    return {
        "candidates": join.cars,
        "rank": join.rank,
        "terms": [{"name": "added_by_joining", "cost_s": join.added_s}],
        "cost_s": join.added_s,
        "added_s": join.added_s,
        "runner_up_cost_s": None,
        "runner_up_took_another_ride": None,
        "riders": riders,
        "drivers": join.cars,
        "solver": f"insertion, then {ITERATIONS} steps of ruin and recreate",
        "solver_version": program_version(),
        "program_version": program_version(),
        "seed": SHARING_SEED,
        "weights": asdict(SHARING),
        "policies": _used(policies),
        "is_estimate": is_estimate,
    }


def _used(policies: Mapping[str, Policy]) -> list[dict[str, Any]]:
    return [
        {"key": key, "version_id": str(policy.version_id), "value": policy.value}
        for key, policy in sorted(policies.items())
    ]


def offer_explained(stored: Mapping[str, Any], *, language: str) -> dict[str, Any]:
    """Return the API's form of what was stored with an offer, with its sentences."""
    told = {**_NOT_SAID, **stored}
    sentences = offer_sentences(told, language=language)
    return {
        **told,
        "terms": _labelled(told["terms"], language=language),
        "language": language,
        "sentences": sentences,
        "sentence": " ".join(sentences),
    }


def offer_sentences(stored: Mapping[str, Any], *, language: str) -> list[str]:
    """Return why an offer was made, in plain words."""
    told = {**_NOT_SAID, **stored}
    if told["added_s"] is not None:
        return _joining(told, language=language)
    nearer = told["rank"] - 1
    words = [say("offer.candidates", language=language, count=told["candidates"])]
    if told["candidates"] > 1:
        words.append(say("offer.nearer", language=language, count=nearer))
    if nearer and told["fallback"] is None:
        words.append(say(_why_not_the_nearer(told), language=language))
    words += _beside_the_runner_up(told, language=language)
    words += _worth(told, language=language)
    words += _how_sure(told, language=language)
    return words + _in_the_end(told, language=language)


def _joining(told: Mapping[str, Any], *, language: str) -> list[str]:
    words = [say("offer.joins", language=language)]
    words.append(say("offer.joins_added", language=language, count=round(told["added_s"])))
    words.append(say("offer.joins_limits", language=language))
    words += _how_sure(told, language=language)
    return words + _in_the_end(told, language=language)


def _in_the_end(told: Mapping[str, Any], *, language: str) -> list[str]:
    keys = ["offer.wheelchair"] if told["with_wheelchair"] else []
    return [say(key, language=language) for key in (*keys, "offer.declining")]


def _why_not_the_nearer(told: Mapping[str, Any]) -> str:
    """Return the key of why a driver farther off was better.

    If even the cheapest other driver stayed free, the nearer ones were dearer for what they are:
    because of fairness, or because they still drive somebody.
    """
    if told["runner_up_took_another_ride"]:
        return "offer.all_wait_less"
    names = {term["name"] for term in told["terms"]}
    only_fairness = "fairness" in names and "wait_until_free" not in names
    return "offer.earned_less" if only_fairness else "offer.all_counted"


def _beside_the_runner_up(told: Mapping[str, Any], *, language: str) -> list[str]:
    if told["runner_up_cost_s"] is None:
        return []
    if told["runner_up_took_another_ride"]:
        return [say("offer.runner_up_elsewhere", language=language)]
    dearer_s = round(told["runner_up_cost_s"] - told["cost_s"])
    # Only the quick method passes a cheaper one over, and it says so itself.
    return [] if dearer_s < 0 else [say("offer.runner_up", language=language, count=dearer_s)]


def _worth(told: Mapping[str, Any], *, language: str) -> list[str]:
    """Return what the dual prices mean; a rider who waited long adds less than nothing: unsaid."""
    words = []
    if told["driver_price_s"] is not None:
        saved_s = round(-told["driver_price_s"])
        words.append(say("offer.driver_price", language=language, count=saved_s))
    if told["rider_price_s"] is not None and told["rider_price_s"] >= 0:
        added_s = round(told["rider_price_s"])
        words.append(say("offer.rider_price", language=language, count=added_s))
    return words


def _how_sure(told: Mapping[str, Any], *, language: str) -> list[str]:
    words = []
    if told["fallback"] is not None:
        words.append(say("offer.quick_method", language=language))
    elif told["gap"] == 0:
        words.append(say("offer.proven_best", language=language))
    elif told["gap"] is not None:
        within = share(told["gap"], language=language)
        words.append(say("offer.proven_within", language=language, share=within))
    if told["is_estimate"]:
        words.append(say("offer.estimate", language=language))
    return words


def round_explained(told: PassedOver, *, language: str) -> dict[str, Any]:
    """Return the API's form of why a driver got no ride in a round; it names nobody."""
    sentences = round_sentences(told, language=language)
    return {
        "why": told.why,
        "riders": told.riders,
        "drivers": told.drivers,
        "riders_in_reach": told.riders_in_reach,
        "candidates": told.candidate_count,
        "rank": told.rank or None,
        "pickup_s": _rounded(told.pickup_s),
        "terms": _labelled(_terms(told.terms), language=language),
        "cost_s": _seconds(told.cost_ds),
        "chosen_pickup_s": _rounded(told.chosen_pickup_s),
        "chosen_cost_s": _seconds(told.chosen_cost_ds),
        "extra_s": _seconds(told.extra_ds),
        "language": language,
        "sentences": sentences,
        "sentence": " ".join(sentences),
    }


def round_sentences(told: PassedOver, *, language: str) -> list[str]:
    """Return why a driver got no ride in a round, in plain words."""
    words = []
    if told.riders_in_reach:
        words.append(say("round.reach", language=language, count=told.riders_in_reach))
    if told.riders_in_reach and told.why not in _CHOSEN:
        words.append(say("round.nearer", language=language, count=told.rank - 1))
    words.append(say(f"round.{told.why}", language=language, count=_sooner_s(told)))
    if told.extra_ds is not None and told.extra_ds >= 0:
        words.append(say("round.extra", language=language, count=round(told.extra_ds / 10)))
    words.append(say("round.afresh", language=language))
    return words


def _sooner_s(told: PassedOver) -> int | None:
    """Return by how much the chosen driver was nearer, for the one reason that speaks of it."""
    if told.why is not WhyNot.NEARER_DRIVER:
        return None
    assert told.pickup_s is not None
    assert told.chosen_pickup_s is not None
    return round(told.pickup_s - told.chosen_pickup_s)


def _terms(terms: Sequence[Term]) -> list[dict[str, Any]]:
    return [{"name": term.name, "cost_s": term.cost_ds / 10} for term in terms]


def _labelled(terms: Sequence[Mapping[str, Any]], *, language: str) -> list[dict[str, Any]]:
    return [{**term, "label": say(f"term.{term['name']}", language=language)} for term in terms]


def _price_s(prices_ds: Sequence[int] | None, place: int) -> float | None:
    return None if prices_ds is None else prices_ds[place] / 10


def _seconds(cost_ds: int | None) -> float | None:
    return None if cost_ds is None else cost_ds / 10


def _rounded(time_s: float | None) -> float | None:
    return None if time_s is None else round(time_s, 1)
