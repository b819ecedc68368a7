"""Two issuers of one cooperative, and a vote whose terms both have sealed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from governance.manifest import Manifest
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.issuers import Cooperative, Person, open_issuer


@dataclass(frozen=True)
class Vote:
    """A sealed vote, the members on its rolls, and the two issuers."""

    cooperative: Cooperative
    issuers: tuple[httpx.AsyncClient, httpx.AsyncClient]
    manifest: Manifest
    rolls: tuple[tuple[Person, ...], ...]

    @property
    def members(self) -> tuple[Person, ...]:
        return self.rolls[0]


@pytest.fixture
def cooperative() -> Cooperative:
    return Cooperative()


@pytest.fixture
def folders(cooperative: Cooperative, tmp_path: Path) -> tuple[Path, Path]:
    return (
        cooperative.make_issuer(tmp_path / "auditors", name="Auditors"),
        cooperative.make_issuer(tmp_path / "sister", name="Sister cooperative"),
    )


@pytest.fixture
async def issuers(
    folders: tuple[Path, Path], clock: StandingClock
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    async with (
        open_issuer(folders[0], clock=clock) as one,
        open_issuer(folders[1], clock=clock) as other,
    ):
        yield one, other


@pytest.fixture
async def vote(
    cooperative: Cooperative, issuers: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> Vote:
    """A vote on one number by five members; casting opens in two days."""
    rolls = (tuple(Person(number) for number in range(5)),)
    manifest = await cooperative.terms(issuers, rolls, opens_at=FRIDAY_EVENING + timedelta(days=2))
    for issuer in issuers:
        answer = await cooperative.seal(issuer, manifest, rolls)
        assert answer.status_code == 200, answer.text
    return Vote(cooperative, issuers, manifest, rolls)
