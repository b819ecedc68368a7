"""Makes the report of a period from its books: every cent that came in is somewhere in it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from governance.apportionment import apportion
from governance.inequality import gini

FEWEST: Final = 10  # of smaller groups no figure is shown
TEN_MINOR: Final = 1_000  # ten of the currency, in hundredths
MONTH_DAYS: Final = Fraction(365, 12)

# Journals by which riders' money reaches drivers, others and the house.
RIDE_KINDS: Final = (
    "ride_fare",
    "ride_fee",
    "fare_share",
    "tip",
    "pay_floor",
    "peer_ride",
    "adjustment",
)
# What is left of a period goes here, by the key of the close's step.
SHARES: Final = {
    "carried": "bears losses of earlier years",
    "indivisible": "goes to the reserve that is never shared out",
    "reserve": "goes to the reserve that is never shared out",
    "education": "goes to the education fund",
    "pot_reserve": "goes to the reserve that a vote may divide",
    "undivided": "goes to the reserve that a vote may divide",
    "pot_dividend": "goes back to driver-members",
    "pot_education": "goes to the education fund",
    "pot_solidarity": "goes to the solidarity fund",
    "pot_investment": "is invested in the cooperative",
}
_OTHER_POT = "is invested in the cooperative"
PURPOSES: Final = {
    "servers": "pays for computers and networks",
    "maps": "pays for maps",
    "staff": "pays the staff",
    "insurance": "pays for insurance",
    "card_fees": "pays for card payments",
    "support": "pays for help by phone and mail",
    "rent": "pays the rent",
    "audit": "pays the auditors",
    "interest": "pays interest",
    "bad_debt": "covers fares that were never paid",
    "chargeback": "covers payments that riders' banks took back",
    "card_refund": "covers money given back to cards",
    "pay_floor": "fills drivers' weeks up to the pay floor",
    "adjustment": "mends rides that went wrong",
    "other": "pays for other things",
}


@dataclass(frozen=True, slots=True)
class DriverPeriod:
    """What one driver earned, was online for and got back; never shown by itself."""

    earned_minor: int
    online_s: int
    refund_minor: int


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote that was counted in the period: ballots in the box and people on the roll."""

    election_id: str
    ballots: int
    on_the_roll: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the books say of a period.

    `moved_minor` has for (account kind, journal kind) what the accounts gained, reversals counted
    with what they undo. `steps_minor` is the close's own steps by key. `costs_minor` is by purpose
    of what was booked with a document, net of what was taken back.
    """

    since: datetime
    until: datetime
    moved_minor: Mapping[tuple[str, str], int]
    steps_minor: Mapping[str, int]
    costs_minor: Mapping[str, int]
    reserves_minor: int
    rides: int
    drivers: Sequence[DriverPeriod]
    votes: Sequence[Vote]
    rates: Sequence[Mapping[str, Any]]


def make_report(facts: Facts) -> dict[str, Any]:
    """Return the report as plain JSON values; amounts in minor units, rates in basis points."""
    came_in, went = _where_it_went(facts)
    return {
        "rides": facts.rides if facts.rides >= FEWEST else None,
        "came_in": came_in,
        "of_ten": _of_ten(went),
        "rates": list(facts.rates),
        "costs": _costs(facts),
        "reserves_minor": facts.reserves_minor,
        "reserve_months": _reserve_months(facts),
        "income": _income(facts.drivers),
        "votes": [
            {
                "election_id": vote.election_id,
                "on_the_roll": vote.on_the_roll,
                "turnout": _turnout(vote),
            }
            for vote in facts.votes
        ],
        "fewest_shown": FEWEST,
    }


def _where_it_went(facts: Facts) -> tuple[dict[str, int], dict[str, int]]:
    """Return what came in by source, and where it went in plain words; both have one sum.

    What riders paid reaches drivers, others it belongs to, and the house. The house pays its costs
    of it and of other income, and shares out the rest. A cost that is paid to drivers or riders,
    such as what fills a week up to the pay floor, counts once: as theirs.
    """
    moved = {account: 0 for account, _ in facts.moved_minor}
    for (account, journal), minor in facts.moved_minor.items():
        if journal in RIDE_KINDS:
            moved[account] += minor
    steps = facts.steps_minor
    came_in = {
        "rides": -sum(moved.get(kind, 0) for kind in ("rider", "peer_cooperative")),
        "other": steps["other_income"],
    }
    went = {
        "is the driver's at once, tips included": moved.get("driver", 0),
        "is passed on, such as taxes and tolls": moved.get("pass_through", 0),
    }
    for purpose, minor in _costs(facts).items():
        if purpose in RIDE_KINDS:
            continue  # Drivers' or riders' already, by what moved.
        _add(went, PURPOSES.get(purpose, PURPOSES["other"]), minor)
    if "carried_forward" in steps:
        # Nothing is shared out: what is missing comes from the reserve, or from later years.
        came_in["missing"] = max(-steps["result"], 0)
        _add(went, SHARES["carried"], max(steps["result"], 0))
    else:
        for key, minor in steps.items():
            if key in SHARES or key.startswith("pot_"):
                _add(went, SHARES.get(key, _OTHER_POT), abs(minor))
        # What nobody has a claim to is a part of the refunds' step.
        went[SHARES["pot_dividend"]] = went.get(SHARES["pot_dividend"], 0) - steps.get(
            "undivided", 0
        )
    total = sum(came_in.values())
    assert total == sum(went.values()), f"{total} came in and {sum(went.values())} went out"
    return came_in, {words: minor for words, minor in went.items() if minor}


def _add(went: dict[str, int], words: str, minor: int) -> None:
    went[words] = went.get(words, 0) + minor


def _costs(facts: Facts) -> dict[str, int]:
    """Return all costs by purpose; those that no document names go by their journals' kind."""
    costs = dict(facts.costs_minor)
    by_themselves = {
        journal: -minor
        for (account, journal), minor in facts.moved_minor.items()
        if account == "platform_costs" and journal not in ("platform_cost", "surplus_close")
    }
    for journal, minor in by_themselves.items():
        costs[journal] = costs.get(journal, 0) + minor
    assert sum(costs.values()) == -facts.steps_minor["costs"], "the close counted other costs"
    return {purpose: minor for purpose, minor in costs.items() if minor}


def _of_ten(went: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return of each ten that came in how much went where, largest first; exact in hundredths.

    What is below 0, such as a part taken back in a later period, has no place in a ten.
    """
    parts = {words: minor for words, minor in went.items() if minor > 0}
    if not parts:
        return []
    shares = apportion(TEN_MINOR, weights=parts)
    ordered = sorted(parts, key=lambda words: (-parts[words], words))
    return [
        {"words": words, "amount_minor": parts[words], "of_ten_minor": shares[words]}
        for words in ordered
    ]


def _reserve_months(facts: Facts) -> float | None:
    """Return for how many months the reserves would pay costs like this period's."""
    cost_minor = -facts.steps_minor["costs"]
    if cost_minor <= 0:
        return None
    days = Fraction(int((facts.until - facts.since).total_seconds()), 86_400)
    return _rounded(facts.reserves_minor * days / MONTH_DAYS / cost_minor, digits=1)


def _income(drivers: Sequence[DriverPeriod]) -> dict[str, Any] | None:
    """Return how unequal income per online hour was, before and after refunds; None for too few."""
    online = [driver for driver in drivers if driver.online_s > 0]
    if len(online) < FEWEST:
        return None
    before = [_per_hour(driver.earned_minor, driver.online_s) for driver in online]
    after = [
        _per_hour(driver.earned_minor + driver.refund_minor, driver.online_s) for driver in online
    ]
    return {
        "drivers": len(online),
        "gini_before_refunds": _rounded(gini(before), digits=4),
        "gini_after_refunds": _rounded(gini(after), digits=4),
        "per_hour_before_minor": _quantiles(before),
        "per_hour_after_minor": _quantiles(after),
    }


def _per_hour(minor: int, online_s: int) -> Fraction:
    return max(Fraction(0), Fraction(minor * 3600, online_s))


def _quantiles(values: Sequence[Fraction]) -> dict[str, int]:
    """Return tenth, half and nine tenths, each the mean of three neighbours: nobody's own."""
    ordered = sorted(values)
    last = len(ordered) - 1
    shown = {}
    for name, part in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9)):
        middle = min(max(round(last * part), 1), last - 1)
        shown[name] = round(sum(ordered[middle - 1 : middle + 2], Fraction(0)) / 3)
    return shown


def _turnout(vote: Vote) -> float | None:
    """Return the part of the roll that voted; None where fewer than ten did, or did not."""
    if vote.ballots < FEWEST or 0 < vote.on_the_roll - vote.ballots < FEWEST:
        return None
    return _rounded(Fraction(vote.ballots, vote.on_the_roll))


def _rounded(value: Fraction, *, digits: int = 3) -> float:
    return round(float(value), digits)
