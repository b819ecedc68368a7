"""A cooperative that says from which account it pays."""

from pathlib import Path

import asyncpg
import pytest

from app.settings import Settings
from tests.app.payouts.till import OWN_IBAN, make_staff
from tests.factories import Person


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        sms_file=tmp_path / "texts.jsonl",
        secret="a secret of tests",
        payout_iban=OWN_IBAN,
    )


@pytest.fixture
async def staff(owner: asyncpg.Connection) -> list[Person]:
    return await make_staff(owner)
