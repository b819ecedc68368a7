"""What a driver who waits is told: a better place with its reason, or that there is none."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.dispatch.words import choose_language, say
from app.drivers.positions import Fix
from app.foundation.database import Transaction
from app.members import service as members
from app.outlook import queries
from app.outlook.forecast import AHEAD
from app.outlook.schemas import Advice, HintView, WaitingPlaceView
from app.outlook.waiting_places import THERE_M
from matching.travel import Point, distance_m

AHEAD_S = round(AHEAD.total_seconds())


async def get_hint(
    reader: Transaction,
    *,
    driver_id: UUID,
    fix: Fix | None,
    now: datetime,
    accepted_languages: str | None,
) -> dict[str, Any]:
    """Return the driver's newest advice, in words; `fix` is where she is now, if that is known."""
    row = await queries.find_hint(reader, driver_id=driver_id, now=now)
    advice = _advice(row, fix)
    me = await members.get_me(reader, member_id=driver_id)
    language = choose_language(accepted_languages, own=me.language)
    hint = _hint(row) if advice is Advice.WAIT_THERE else None
    sentences = hint_sentences(advice, hint, language=language)
    view = HintView(
        advice=advice,
        hint=hint,
        language=language,
        sentences=sentences,
        sentence=" ".join(sentences),
    )
    return view.model_dump(mode="json")


def hint_sentences(advice: Advice, hint: WaitingPlaceView | None, *, language: str) -> list[str]:
    """Return the advice and its reason in plain words, and with a hint that it binds nobody."""
    if hint is None:
        return [say(f"hint.{advice}", language=language)]
    minutes = round(hint.drive_s / 60)
    name = hint.place.name
    return [
        say("hint.where", language=language, count=minutes, place=name)
        if name
        else say("hint.where_unnamed", language=language, count=minutes),
        say(
            "hint.expected",
            language=language,
            count=round(hint.expected_requests),
            minutes=str(hint.within_s // 60),
        ),
        say("hint.drivers_there", language=language, count=hint.drivers_there),
        say(f"hint.{hint.based_on}", language=language),
        say("hint.advice", language=language),
    ]


def _advice(row: Mapping[str, Any], fix: Fix | None) -> Advice:
    if not row["on_shift"]:
        return Advice.OFF_SHIFT
    if row["has_ride"]:
        return Advice.HAS_RIDE
    if row["lat"] is None or (fix is not None and _is_there(row, fix)):
        return Advice.STAND_WELL
    return Advice.WAIT_THERE


def _is_there(row: Mapping[str, Any], fix: Fix) -> bool:
    place = Point(lat=row["lat"], lng=row["lng"])
    return distance_m(Point(lat=fix.lat, lng=fix.lng), to=place) <= THERE_M


def _hint(row: Mapping[str, Any]) -> WaitingPlaceView:
    place = {part: row[part] for part in ("lat", "lng", "name")}
    return WaitingPlaceView.model_validate({**row, "place": place, "within_s": AHEAD_S})
