"""`meent surplus` shows each step and changes nothing, unless its operator closes for good."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.app.surplus.year import Town, amounts, worked_year

YEAR = ("--from", "2025-05-22", "--to", "2026-05-22")


async def meent(dsn: str, home: Path, *words: str, room: str = "surplus") -> tuple[int, str, str]:
    """Run the command as from a terminal, on the test's database."""
    program = Path(sys.executable).parent / "meent"
    settings = {"MEENT_DATABASE_URL": dsn, "MEENT_HOME": str(home)}
    child = await asyncio.create_subprocess_exec(
        program,
        room,
        *words,
        env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(child.communicate(), timeout=60)
    return child.returncode or 0, out.decode(), err.decode()


async def test_a_dry_run_shows_the_published_year_and_changes_nothing(
    town: Town, dsn: str, tmp_path: Path
) -> None:
    await worked_year(town)
    before = await town.owner.fetchval("select count(*) from journal")

    code, out, err = await meent(dsn, tmp_path, "close", *YEAR, "--dry-run")
    _, as_json, _ = await meent(dsn, tmp_path, "close", *YEAR, "--dry-run", "--json")

    assert code == 0, err
    for shown in ("6,200.00 CHF", "980.00 CHF", "1,306.67 CHF", "261.36 CHF", "1,045.31 CHF"):
        assert shown in out
    assert "nothing was changed" in err
    made: dict[str, Any] = json.loads(as_json)
    assert amounts(made)["result"] == 620_000
    assert await town.owner.fetchval("select count(*) from journal") == before
    assert await town.owner.fetchval("select count(*) from surplus_period") == 0
    assert await town.owner.fetchval("select count(*) from period_lock") == 0


async def test_an_operator_closes_by_name_and_only_once(
    town: Town, dsn: str, tmp_path: Path
) -> None:
    await worked_year(town)

    nameless, _, _ = await meent(dsn, tmp_path, "close", *YEAR, "--yes")
    first, _, err = await meent(dsn, tmp_path, "close", *YEAR, "--yes", "--operator", "Ute")
    again, _, refused = await meent(dsn, tmp_path, "close", *YEAR, "--yes", "--operator", "Ute")

    assert (nameless, first, again) == (2, 0, 1), err
    assert len(refused.splitlines()) == 1
    assert await town.owner.fetchval("select operator from surplus_period") == "Ute"
    assert await town.owner.fetchval("select sum(cash_minor) from member_refund") == 26_136


async def test_every_form_is_listed_with_what_nobody_looked_up(dsn: str, tmp_path: Path) -> None:
    code, out, err = await meent(dsn, tmp_path, "forms")

    assert code == 0
    assert "26 USC 1388(c)" in out
    assert "es_cooperative: reserve_bp was looked up by nobody" in err
