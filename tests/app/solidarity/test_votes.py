"""The figures of solidarity are set by a vote: the database lets a tally enact each of them."""

import asyncpg
import pytest

from app.statutes import Statutes
from governance.policy import NUMBER_POLICIES
from governance.solidarity.rules import DEFAULT_RULES

KEYS = (
    "solidarity_contribution_bp",
    "solidarity_most_bp",
    "guarantee_cap_minor",
    "gift_waiting_days",
    "gift_longest_months",
)


@pytest.mark.parametrize("key", KEYS)
async def test_members_vote_on_each_figure(owner: asyncpg.Connection, key: str) -> None:
    enact = await owner.fetchval("select pg_get_functiondef('enact_tally'::regproc)")
    founded = await owner.fetchval("select value::int from policy_version where key = $1", key)

    assert key in NUMBER_POLICIES
    assert f"'{key}'" in enact
    # What a city file that leaves it out is founded with lies on what a ballot may say.
    assert founded == Statutes.model_fields[key].default
    assert NUMBER_POLICIES[key].least <= founded <= NUMBER_POLICIES[key].most


def test_the_simulation_takes_what_a_city_is_founded_with() -> None:
    fields = Statutes.model_fields
    assert DEFAULT_RULES.contribution_bp == fields["solidarity_contribution_bp"].default
    assert DEFAULT_RULES.contribution_most_bp == fields["solidarity_most_bp"].default
