"""API shapes of the roads' room."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class LineString(BaseModel):
    """A GeoJSON LineString: positions are [lng, lat]."""

    type: str = "LineString"
    coordinates: list[tuple[float, float]]


class RouteView(BaseModel):
    """A way by road, and how long it takes in this city at this hour."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "distance_m": 8820,
                "duration_s": 894,
                "is_estimate": False,
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[9.5209, 47.1410], [9.5030, 47.0660]],
                },
            }
        }
    )

    distance_m: int
    duration_s: int
    is_estimate: Annotated[bool, Field(description="true while the road engine is away")]
    geometry: LineString


class PlaceView(BaseModel):
    """A place found by name."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"name": "Städtle, Vaduz", "kind": "street", "lat": 47.1410, "lng": 9.5209}
        }
    )

    name: str
    kind: str
    lat: float
    lng: float


class PlacesView(BaseModel):
    """Places that fit the words, the best first."""

    items: list[PlaceView]
    attribution: str
