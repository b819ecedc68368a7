"""How often a fund runs dry: many possible decades, each drawn from a seed of its own."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from governance.solidarity.assumptions import ASSUMPTIONS
from governance.solidarity.contribution import (
    contribution_rate_bp,
    expected_claims_minor,
)
from governance.solidarity.rules import DEFAULT_RULES, RESERVE_MONTHS, TIERS_MINOR, SolidarityRules

type Amounts = NDArray[np.int64]

PERCENTILES = (5, 50, 95)
_WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """A city's circles: how many members, by which rules, for how long, from which start.

    Tiers are spread evenly over the members. Refused (ValueError): nobody, no month, a start
    below 0.
    """

    members: int = 200
    months: int = 120
    start_months: int = RESERVE_MONTHS
    rules: SolidarityRules = DEFAULT_RULES
    assumptions: dict[str, float] = field(
        default_factory=lambda: {key: one.value for key, one in ASSUMPTIONS.items()}
    )

    def __post_init__(self) -> None:
        if self.members < 1 or self.months < 1 or self.start_months < 0:
            raise ValueError("a scenario has members and months, and starts with 0 or more")

    @property
    def tiers_minor(self) -> int:
        """The sum of all members' tiers."""
        whole, rest = divmod(self.members, len(TIERS_MINOR))
        return whole * sum(TIERS_MINOR) + sum(TIERS_MINOR[:rest])

    @property
    def failures_per_month(self) -> float:
        """How many cards fail for good in a month, on average."""
        a = self.assumptions
        return self.members * a["rides_per_member_month"] * a["failed_cards"]

    @property
    def expected_claims_minor(self) -> int:
        """What the fund expects to pay in a month, as the program reckons it when it runs."""
        kept = self.assumptions["failed_fare_minor"] * (1 - self.assumptions["paid_back"])
        return expected_claims_minor(
            tiers_minor=self.tiers_minor,
            gifts_minor=0,
            guarantees_minor=math.ceil(self.failures_per_month * kept),
        )


@dataclass(frozen=True, slots=True)
class RuinReport:
    """What became of the fund in all the decades that were drawn.

    `fund_minor` holds, per percentile and month, what was in it (0 from the month it ran dry);
    `rate_bp` the mean contribution of a month.
    """

    scenario: Scenario
    seeds: int
    ruined: int
    start_minor: int
    raised_share: float
    fund_minor: NDArray[np.float64]
    rate_bp: NDArray[np.float64]

    @property
    def ruin_share(self) -> float:
        """The part of the decades in which the fund could not pay a month in full."""
        return self.ruined / self.seeds

    @property
    def ruin_share_at_most(self) -> float:
        """The upper end of Wilson's 95 % interval around it (E. B. Wilson, 1927)."""
        z, n, share = 1.96, self.seeds, self.ruin_share
        middle = share + z * z / (2 * n)
        return (middle + z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)) / (
            1 + z * z / n
        )


def claims_of(scenario: Scenario, *, seed: int) -> Amounts:
    """Return what the fund is to pay in each month of one drawn decade.

    Illnesses come by chance at a rate that is higher in bad years for everybody at once; each
    lasts a number of months by chance, up to the longest, and costs one tier a month. Who is ill
    may be drawn again meanwhile, so slightly more is claimed than can be. The same seed gives the
    same decade.
    """
    draw, a = np.random.default_rng(seed), scenario.assumptions
    years = -(-scenario.months // 12)
    shape = 1 / a["bad_years"] ** 2
    bad = np.repeat(draw.gamma(shape, 1 / shape, years), 12)[: scenario.months]
    begun = draw.binomial(scenario.members, np.minimum(bad * a["sick_per_member_year"] / 12, 1.0))
    many = int(begun.sum())
    begins = np.repeat(np.arange(scenario.months), begun)
    lasts = np.minimum(draw.geometric(ending_chance(a), many), int(a["longest_months"]))
    gifts = np.asarray(TIERS_MINOR, dtype=np.int64)[draw.integers(len(TIERS_MINOR), size=many)]
    changes = np.zeros(scenario.months + int(a["longest_months"]) + 1, dtype=np.int64)
    np.add.at(changes, begins, gifts)
    np.subtract.at(changes, begins + lasts, gifts)
    failed = draw.poisson(scenario.failures_per_month * bad)
    kept = a["failed_fare_minor"] * (1 - a["paid_back"])
    lost = np.ceil(draw.gamma(np.maximum(failed, 1), kept) * (failed > 0))
    claims: Amounts = changes.cumsum()[: scenario.months] + lost.astype(np.int64)
    return claims


def ending_chance(assumptions: dict[str, float]) -> float:
    """Return the chance of an illness to end in a month, so that gifts last as long as assumed.

    Found by halving: the mean of a geometric duration cut at `longest_months` falls with it.
    """
    low, high = 1e-6, 1.0
    for _ in range(60):
        chance = (low + high) / 2
        mean = (1 - (1 - chance) ** assumptions["longest_months"]) / chance
        low, high = (chance, high) if mean > assumptions["gift_months"] else (low, chance)
    return high


def walk(scenario: Scenario, *, claims: Amounts, start_minor: int) -> tuple[Amounts, Amounts]:
    """Return the fund at each month's end and its contribution rate, by the stop-loss rule.

    Both end with the month in which the fund could not pay in full.
    """
    rules, expected = scenario.rules, scenario.expected_claims_minor
    collected_bp = round(scenario.assumptions["collected"] * _WHOLE_BP)
    gathered, fund = scenario.tiers_minor * collected_bp, start_minor
    rate = contribution_rate_bp(rules, fund_minor=fund, expected_claims_minor=expected)
    funds, rates = [], []
    for claim in claims.tolist():
        fund += gathered * rate // _WHOLE_BP**2 - claim
        funds.append(fund)
        rates.append(rate)
        if fund < 0:
            break
        rate = contribution_rate_bp(rules, fund_minor=fund, expected_claims_minor=expected)
    return np.array(funds, dtype=np.int64), np.array(rates, dtype=np.int64)


def simulate(
    scenario: Scenario, *, seeds: int, tell: Callable[[int], None] = lambda _: None
) -> RuinReport:
    """Return how often the fund runs dry over the seeds 0 to `seeds` - 1.

    `tell` hears ten times how many are done. Refused (ValueError): no seed.
    """
    if seeds < 1:
        raise ValueError("at least one seed is drawn")
    start = scenario.start_months * scenario.expected_claims_minor
    fund = np.zeros((seeds, scenario.months))
    rates = np.full((seeds, scenario.months), np.nan)
    ruined = 0
    for seed in range(seeds):
        funds, paid = walk(scenario, claims=claims_of(scenario, seed=seed), start_minor=start)
        ruined += bool(funds[-1] < 0)
        fund[seed, : len(funds)] = np.maximum(funds, 0)
        rates[seed, : len(paid)] = paid
        if (seed + 1) % max(seeds // 10, 1) == 0:
            tell(seed + 1)
    lived = ~np.isnan(rates)
    drawn = lived.sum(axis=0)
    return RuinReport(
        scenario=scenario,
        seeds=seeds,
        ruined=ruined,
        start_minor=start,
        raised_share=float((rates > scenario.rules.contribution_bp).sum() / lived.sum()),
        fund_minor=np.percentile(fund, PERCENTILES, axis=0),
        rate_bp=np.nansum(rates, axis=0) / np.maximum(drawn, 1),
    )
