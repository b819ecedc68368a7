"""The phones' own promises: above all the journal, which would find a loss."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.demo.api_client import Member
from app.demo.journal import Journal, RideNow
from app.demo.socket_line import SocketLine
from app.demo.street import Car, Way
from app.demo.text_messages import TextMessages
from matching.travel import Point

NOW = datetime(2026, 5, 22, 15, 0, tzinfo=UTC)


def _journal() -> Journal:
    member = Member(None, phone="+12025550000")  # type: ignore[arg-type] # nothing is asked
    return Journal(member, books_once=True)


@pytest.mark.parametrize(
    ("said", "now", "kept"),
    [
        ("requested", "requested", True),
        ("requested", "no_driver", True),
        ("assigned", "completed", True),
        ("assigned", "requested", False),
        ("under_way", "arrived", False),
        ("under_way", "cancelled", False),
        ("completed", "completed", True),
        ("completed", "under_way", False),
        ("cancelled", "requested", False),
    ],
)
def test_a_ride_that_went_back_behind_what_was_acknowledged_is_lost(
    said: str, now: str, *, kept: bool
) -> None:
    journal = _journal()
    journal.ride("r", state=said)
    journal.compare({"r": RideNow(now, None)})
    assert (journal.lost == []) is kept


def test_a_ride_that_was_acknowledged_and_is_not_there_is_lost() -> None:
    journal = _journal()
    journal.ride("r", state="requested")
    journal.compare({})
    assert journal.lost == ["ride r was requested and is gone"]


def test_two_rides_for_one_wish_are_doubled() -> None:
    journal = _journal()
    journal.compare({"a": RideNow("completed", NOW), "b": RideNow("requested", None)})
    assert len(journal.doubled) == 1


def test_a_rider_who_was_never_told_the_end_of_their_ride_has_lost_it() -> None:
    journal = _journal()
    journal.gave_up_at = NOW
    journal.compare({"r": RideNow("completed", NOW - timedelta(minutes=5))})
    assert journal.lost == ["ride r is completed and its rider was never told"]


def test_a_line_counts_events_that_are_missing_and_events_that_come_again() -> None:
    heard: list[str] = []
    line = SocketLine(_journal().member, on_event=lambda event, _: heard.append(event))
    for seq in (1, 2, 2, 5, 6):
        line._hear({"seq": seq, "event": f"e{seq}", "data": {}})
    assert heard == ["e1", "e2", "e5", "e6"]
    assert (line.missed, line.repeated, line.heard) == (2, 1, 6)


async def test_a_missed_event_is_a_loss_and_a_repeated_one_a_double() -> None:
    journal = Journal(_journal().member, books_once=False)
    journal.line = SocketLine(journal.member, on_event=lambda *_: None)
    journal.line.missed, journal.line.repeated = 2, 1
    await journal.check()
    assert (len(journal.lost), len(journal.doubled)) == (1, 1)


def test_a_car_drives_evenly_along_its_way_and_stops_at_its_end() -> None:
    route: dict[str, Any] = {
        "duration_s": 100,
        "geometry": {"coordinates": [[9.0, 47.0], [9.0, 47.01], [9.0, 47.01], [9.0, 47.03]]},
    }
    way = Way.from_route(route)
    car = Car(Point(lat=47.0, lng=9.0))
    car.drive(way, began=NOW, drive_s=way.seconds(None))
    assert car.where(NOW).lat == pytest.approx(47.0)
    assert car.where(NOW + timedelta(seconds=50)).lat == pytest.approx(47.015)
    car.stop(NOW + timedelta(seconds=1000))
    assert car.where(NOW).lat == pytest.approx(47.03)


def test_a_car_that_took_another_way_or_stopped_is_no_longer_on_the_first() -> None:
    route = {"duration_s": 100, "geometry": {"coordinates": [[9.0, 47.0], [9.0, 47.01]]}}
    to_wait, to_rider = Way.from_route(route), Way.from_route(route)
    car = Car(Point(lat=47.0, lng=9.0))
    on_the_first = []
    for step in (
        lambda: car.drive(to_wait, began=NOW, drive_s=100),
        lambda: car.drive(to_rider, began=NOW, drive_s=100),
        lambda: car.drive(to_wait, began=NOW, drive_s=100),
        lambda: car.stop(NOW),
    ):
        step()
        on_the_first.append(car.is_on(to_wait))
    assert on_the_first == [True, False, True, False]


def test_no_car_drives_faster_than_a_record_could_be_true() -> None:
    way = Way.from_route(
        {"duration_s": 100, "geometry": {"coordinates": [[9.0, 47.0], [9.0, 47.1]]}}
    )
    assert way.seconds(10) == pytest.approx(11_120 / 45, rel=0.01)


async def test_a_text_message_that_is_half_written_is_read_when_it_is_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "texts.jsonl"
    texts = TextMessages(path)
    assert await texts.find_code("+1") is None
    path.write_bytes(b'{"to": "+1", "text": "123456 is your')
    assert await texts.find_code("+1") is None
    with path.open("ab") as file:
        file.write(b' Meent code."}\n')
    assert await texts.find_code("+1") == "123456"
