"""Promises about publishing: once, from sealed books, for anybody to read."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from app.ledger.seals import keep_sealed
from app.transparency.service import publish_due
from tests.app.surplus.year import Town, worked_year


async def test_a_closed_year_is_published_once_its_books_are_sealed(
    town: Town, tmp_path: Path
) -> None:
    await worked_year(town)
    period = await town.close()
    path = f"/v1/transparency/{period['id']}"

    assert await publish_due(town.database, now=town.clock.now()) == []
    assert (await town.client.get(path)).status_code == 404
    await keep_sealed(town.database, home=tmp_path, now=town.clock.now())
    one, two = await asyncio.gather(
        *(publish_due(town.database, now=town.clock.now()) for _ in range(2))
    )

    assert {str(key) for key in (*one, *two)} == {period["id"]}
    assert await publish_due(town.database, now=town.clock.now()) == []
    report = (await town.client.get(path)).json()
    assert report["came_in"] == {"rides": 12_000_000, "other": 60_000}
    parts = {part["words"]: part["amount_minor"] for part in report["of_ten"]}
    assert parts == {
        "is the driver's at once, tips included": 10_200_000,
        "pays for other things": 1_240_000,
        "goes to the reserve that is never shared out": 130_000 + 98_000,
        "goes to the reserve that a vote may divide": 98_000,
        "goes to the education fund": 24_500,
        "goes back to driver-members": 130_667,
        "goes to the solidarity fund": 73_500,
        "is invested in the cooperative": 65_333,
    }
    assert report["reserves_minor"] == 130_000 + 98_000 + 98_000
    assert report["reserve_months"] == round(326_000 * 12 / 1_240_000, 1)
    assert report["costs"] == {"other": 1_240_000}
    assert report["income"] is None  # fewer than ten drivers
    assert report["rides"] == 550
    head = await town.owner.fetchrow("select height, hash from seal order by height desc limit 1")
    assert (report["seal_height"], report["seal_hash"]) == (head["height"], head["hash"].hex())
    assert (await town.client.get("/v1/transparency")).json()["items"] == [report]


async def test_the_page_is_there_for_anybody(town: Town, tmp_path: Path) -> None:
    empty = await town.client.get("/transparency")
    await worked_year(town)
    period = await town.close()
    await keep_sealed(town.database, home=tmp_path, now=town.clock.now())
    await publish_due(town.database, now=town.clock.now())

    newest = await town.client.get("/transparency")
    page = await town.client.get(f"/transparency/{period['id']}")

    assert "Nothing is published yet" in empty.text
    assert newest.text == page.text
    assert page.headers["content-type"].startswith("text/html")
    assert "8.46" in page.text
    assert "<svg" in page.text
    package = f"/v1/surplus/periods/{period['id']}/package"
    assert f'href="{package}"' in page.text
    assert (await town.client.get(package)).status_code == 200
    assert (await town.client.get(f"/transparency/{town.first.id}")).status_code == 404


async def test_reports_are_never_edited(town: Town, tmp_path: Path) -> None:
    await worked_year(town)
    await town.close()
    await keep_sealed(town.database, home=tmp_path, now=town.clock.now())
    await publish_due(town.database, now=town.clock.now())

    for change in (
        "update transparency_report set report = '{}'",
        "delete from transparency_report",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await town.owner.execute(change)
