"""Shapes of the drivers' room in the API."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class StartShift(BaseModel):
    """What a driver says to begin."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"vehicle_id": "0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3b"}]},
    )

    vehicle_id: UUID | None = Field(
        default=None, description="the car; without it, the one the driver entered last"
    )


class ShiftOut(BaseModel):
    """A stretch of time in which a driver takes offers with one car."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3c",
                    "vehicle_id": "0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3b",
                    "started_at": "2026-05-22T15:00:00Z",
                    "ended_at": None,
                }
            ]
        }
    )

    id: UUID
    vehicle_id: UUID
    started_at: datetime
    ended_at: datetime | None
