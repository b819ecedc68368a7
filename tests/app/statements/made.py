"""Statements made by hand, of any size, and how to read what was put on a paper."""

import random
import re
import zlib
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.statements.clocks import Clocks
from app.statements.earnings import Earnings, RideFacts, Share, by_ride
from app.statements.lines import Line, add_up
from app.statements.periods import Span, calendar_period

VADUZ = ZoneInfo("Europe/Vaduz")
SHARE_ID = UUID(int=5)


def made_earnings(*, rides: int, name: str = "Zoë Łukaszewicz-Weiß", seed: int = 1) -> Earnings:
    """A year with so many rides, each with its fare and commission, some with a tip."""
    chance = random.Random(seed)
    period = calendar_period(Span.YEAR, on=date(2026, 5, 1), time_zone=VADUZ)
    lines: list[Line] = []
    facts: dict[UUID, RideFacts] = {}

    def book(kind: str, other_side: str, amount_minor: int, ride_id: UUID) -> None:
        lines.append(
            Line(
                journal_id=len(lines),
                line=1,
                kind=kind,
                other_side=other_side,
                undone_kind=None,
                ride_id=ride_id,
                policy_version_id=SHARE_ID,
                reason=None,
                effective_at=period.since + timedelta(minutes=40 * len(facts)),
                amount_minor=amount_minor,
            )
        )

    for _ in range(rides):
        ride_id, fare = UUID(int=chance.getrandbits(128)), chance.randrange(1000, 6000)
        book("ride_fare", "rider", fare, ride_id)
        book("ride_fare", "commission_income", -(fare * 1500 // 10_000), ride_id)
        if chance.random() < 0.2:
            book("tip", "rider", chance.randrange(50, 500), ride_id)
        facts[ride_id] = RideFacts(
            ride_id=ride_id,
            state="completed",
            ended_at=lines[-1].effective_at,
            distance_m=chance.randrange(900, 20_000),
            commission_bp=1500,
            policy_version_id=SHARE_ID,
            waiting_minor=0,
            vat_minor=0,
            vat_remitted_by="nobody",
        )
    found, others = by_ride(lines, facts=facts)
    share = Share(
        policy_version_id=SHARE_ID,
        commission_bp=1500,
        effective_from=period.since,
        source="tally",
        proposal_id=SHARE_ID,
        election_id=SHARE_ID,
        title="What a fare leaves us",
        tallied_at=period.since - timedelta(days=20),
    )
    return Earnings(
        driver_name=name,
        cooperative="Liechtenstein",
        time_zone=VADUZ.key,
        currency="CHF",
        period=period,
        known_at=period.until,
        opening_minor=4200,
        lines=tuple(lines),
        sums=add_up(lines),
        rides=found,
        other_lines=others,
        clocks=Clocks(available_s=3600, dispatch_s=1800, on_trip_s=1800, online_s=7200),
        shares=(share,),
    )


def texts_of(document: bytes) -> list[str]:
    """Every piece of text on a document's pages, in the order it was set.

    A piece is written in the numbers of its face's letters; the face says which letters those are.
    """
    parts = dict(re.findall(rb"\n(\d+) 0 obj\n(.*?)\nendobj", document, re.DOTALL))
    faces = {
        name: _letters(parts[one])
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", document)
        for one in re.findall(rb"/ToUnicode (\d+) 0 R", parts[number])
    }
    texts, letters = [], dict[int, str]()
    for number in re.findall(rb"/Contents (\d+) 0 R", document):
        streams = re.findall(rb"stream\r?\n(.*)\r?\nendstream", parts[number], re.DOTALL)
        pieces = rb"/(F\d+) [\d.]+ Tf|\(((?:\\.|[^\\()])*)\) Tj"
        for face, piece in re.findall(pieces, zlib.decompress(streams[0]), re.DOTALL):
            if face:
                letters = faces[face]
            else:
                signs = re.sub(rb"\\(.)", _meant, piece, flags=re.DOTALL).decode("utf-16-be")
                texts.append("".join(letters[ord(sign)] for sign in signs))
    return texts


def _letters(part: bytes) -> dict[int, str]:
    """What each number of a face means; fpdf2 writes that one by one, and never as a range."""
    meant = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>", part)
    assert len(meant) > 1
    return {
        int(number, 16): bytes.fromhex(letter.decode()).decode("utf-16-be")
        for number, letter in meant
        if number != b"0000"
    }


def _meant(escaped: re.Match[bytes]) -> bytes:
    return {b"r": b"\r", b"n": b"\n", b"t": b"\t"}.get(escaped[1], escaped[1])
