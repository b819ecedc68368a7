"""HTTP of the roads' room: a way to drive, and places by name."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.foundation.problems import Problem
from app.foundation.web import json_response, problem_responses
from app.members.access import Now, SignedIn
from app.members.errors import NotSignedIn
from app.roads.places import Places
from app.roads.port import OutsideServiceArea
from app.roads.schemas import PlacesView, RouteView
from app.roads.service import Roads
from matching.travel import Point

router = APIRouter(prefix="/v1", tags=["roads"])


class OutsideServiceAreaProblem(Problem):
    """A point is more than 500 m from any road here, or no way leads there. Choose another."""

    status = 422
    slug = "outside-service-area"
    title = "We do not drive there"


def outside(error: OutsideServiceArea) -> OutsideServiceAreaProblem:
    """Return the problem that tells a caller what the road engine found."""
    far = None if error.distance_m is None else round(error.distance_m)
    return OutsideServiceAreaProblem(str(error), distance_m=far)


async def get_roads(request: Request) -> Roads:
    """Return the city's roads."""
    roads: Roads = request.app.state.roads
    return roads


RoadsDep = Annotated[Roads, Depends(get_roads)]
Lat = Annotated[float, Query(ge=-90, le=90)]
Lng = Annotated[float, Query(ge=-180, le=180)]


@router.get(
    "/routes",
    operation_id="get_route",
    summary="The way from one place to another",
    response_model=RouteView,
    responses=problem_responses(OutsideServiceAreaProblem, NotSignedIn),
)
async def get_route(
    actor: SignedIn,  # noqa: ARG001 - only members are shown the way
    roads: RoadsDep,
    now: Now,
    from_lat: Lat,
    from_lng: Lng,
    to_lat: Lat,
    to_lng: Lng,
) -> Response:
    """Return the quickest way for a car, as GeoJSON, and the time it takes at this hour."""
    try:
        route = await roads.quote_route(
            Point(lat=from_lat, lng=from_lng), dropoff=Point(lat=to_lat, lng=to_lng), at=now
        )
    except OutsideServiceArea as error:
        raise outside(error) from error
    return json_response(
        {
            "distance_m": round(route.distance_m),
            "duration_s": round(route.duration_s),
            "is_estimate": route.is_estimate,
            "geometry": {
                "type": "LineString",
                "coordinates": [[lng, lat] for lat, lng in route.geometry],
            },
        }
    )


@router.get(
    "/places",
    operation_id="search_places",
    summary="Find a place by name",
    response_model=PlacesView,
    responses=problem_responses(NotSignedIn),
)
async def search_places(
    actor: SignedIn,  # noqa: ARG001 - only members search
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=100, examples=["Städtle"])],
    near_lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
    near_lng: Annotated[float | None, Query(ge=-180, le=180)] = None,
    limit: Annotated[int, Query(ge=1, le=20)] = 10,
) -> Response:
    """Return streets, addresses, corners and points of interest; typing errors are forgiven."""
    places: Places = request.app.state.places
    here = None
    if near_lat is not None and near_lng is not None:
        here = Point(lat=near_lat, lng=near_lng)
    found = await asyncio.to_thread(places.search, q, near=here, limit=limit)
    items = [{"name": p.name, "kind": str(p.kind), "lat": p.lat, "lng": p.lng} for p in found]
    attribution = request.app.state.city.attribution["roads"]
    return json_response({"items": items, "attribution": attribution})
