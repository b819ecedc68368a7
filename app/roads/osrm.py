"""OSRM as the road engine: a child process asked over loopback HTTP."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx
import numpy as np
import orjson

from app.roads.port import (
    SERVICE_AREA_M,
    OutsideServiceArea,
    Route,
    RouterUnavailable,
    Seconds,
    Snapped,
    check_service_area,
)
from matching.travel import Point

CONNECT_TIMEOUT_S = 0.5
ROUTE_TIMEOUT_S = 2.0
TABLE_TIMEOUT_S = 15.0
MAX_CONNECTIONS = 16
# One question then takes well under a second and its address stays under 64 kB.
MAX_ROWS = 200
MAX_COLUMNS = 1000


class OsrmRouter:
    """Asks one `osrm-routed`; every question has a time-out and is safe to repeat."""

    is_estimate = False

    def __init__(self, base_url: str) -> None:
        """`base_url` such as `http://127.0.0.1:5055`; close with `aclose` or `async with`."""
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(ROUTE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_CONNECTIONS,
                keepalive_expiry=30,
            ),
            # A proxy of the environment has no business on the loopback.
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Every connection to the engine is closed."""
        await self._client.aclose()

    async def nearest(self, point: Point) -> Snapped:
        """The nearest place on a road, however far."""
        answer = await self._ask("nearest", [point], {})
        return _snapped(answer["waypoints"][0])

    async def route(self, start: Point, *, end: Point) -> Route:
        """The quickest way by road, with its full geometry."""
        answer = await self._ask(
            "route", [start, end], {"overview": "full", "geometries": "geojson"}
        )
        if answer["code"] == "NoRoute":
            raise OutsideServiceArea(end, distance_m=None)
        start_snapped, end_snapped = (_snapped(waypoint) for waypoint in answer["waypoints"])
        check_service_area(start, snapped=start_snapped)
        check_service_area(end, snapped=end_snapped)
        way = answer["routes"][0]
        return Route(
            start=start_snapped,
            end=end_snapped,
            distance_m=float(way["distance"]),
            duration_s=float(way["duration"]),
            geometry=tuple((lat, lng) for lng, lat in way["geometry"]["coordinates"]),
            is_estimate=False,
        )

    async def matrix(self, sources: Sequence[Point], *, destinations: Sequence[Point]) -> Seconds:
        """Seconds from each source to each destination, asked in blocks of 200 x 1,000."""
        seconds = np.empty((len(sources), len(destinations)))
        for row in range(0, len(sources), MAX_ROWS):
            for column in range(0, len(destinations), MAX_COLUMNS):
                seconds[row : row + MAX_ROWS, column : column + MAX_COLUMNS] = await self._block(
                    sources[row : row + MAX_ROWS], destinations[column : column + MAX_COLUMNS]
                )
        return seconds

    async def _block(self, sources: Sequence[Point], destinations: Sequence[Point]) -> Seconds:
        answer = await self._ask(
            "table",
            [*sources, *destinations],
            {
                "sources": ";".join(map(str, range(len(sources)))),
                "destinations": ";".join(
                    str(len(sources) + number) for number in range(len(destinations))
                ),
            },
            timeout_s=TABLE_TIMEOUT_S,
        )
        seconds = np.array(answer["durations"], dtype=np.float64)
        seconds[_outside(answer["sources"]), :] = np.nan
        seconds[:, _outside(answer["destinations"])] = np.nan
        return seconds

    async def _ask(
        self,
        service: str,
        points: Sequence[Point],
        options: dict[str, str],
        *,
        timeout_s: float = ROUTE_TIMEOUT_S,
    ) -> dict[str, Any]:
        coordinates = ";".join(f"{point.lng:.6f},{point.lat:.6f}" for point in points)
        try:
            response = await self._client.get(
                f"/{service}/v1/driving/{coordinates}",
                params={"generate_hints": "false", **options},
                timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            )
            answer: dict[str, Any] = orjson.loads(response.content)
        except (httpx.HTTPError, orjson.JSONDecodeError) as error:
            raise RouterUnavailable(f"{service}: {type(error).__name__}: {error}") from error
        if answer.get("code") not in {"Ok", "NoRoute"}:
            raise RouterUnavailable(f"{service}: {answer.get('code')}: {answer.get('message')}")
        return answer


def _snapped(waypoint: dict[str, Any]) -> Snapped:
    lng, lat = waypoint["location"]
    return Snapped(lat=lat, lng=lng, distance_m=float(waypoint["distance"]), name=waypoint["name"])


def _outside(waypoints: Sequence[dict[str, Any]]) -> list[bool]:
    return [waypoint["distance"] > SERVICE_AREA_M for waypoint in waypoints]
