"""What a simulation wrote about riders and taxis, and what it says of the dispatcher."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One simulation. Waits are from asking to boarding, rides from boarding to arrival, seconds.

    Who was never picked up has waited until the end, so nobody gains by forgetting riders.
    `taxi_km` is what all taxis drove, `occupied_share` the part of it with a rider.
    """

    riders: int
    unserved: int
    wait_mean_s: float
    wait_p95_s: float
    ride_mean_s: float
    taxi_km: float
    occupied_share: float

    @property
    def wait_and_ride_s(self) -> float:
        """Mean seconds from asking to arrival."""
        return self.wait_mean_s + self.ride_mean_s


def read_result(tripinfo: Path, *, end_s: float) -> Result:
    """The figures of a file written with `--tripinfo-output.write-unfinished`."""
    waits_s, rides_s = [], []
    unserved, driven_m, occupied_m = 0, 0.0, 0.0
    # The file is SUMO's own, written a moment ago.
    for _, element in ET.iterparse(tripinfo):  # noqa: S314
        if element.tag == "personinfo":
            asked_s = float(element.attrib["depart"])
            ride = element.find("ride")
            if ride is None or float(ride.get("depart", "-1")) < 0:
                unserved += 1
                waits_s.append(end_s - asked_s)
            else:
                boarded_s, arrived_s = float(ride.attrib["depart"]), float(ride.attrib["arrival"])
                waits_s.append(boarded_s - asked_s)
                rides_s.append((arrived_s if arrived_s >= 0 else end_s) - boarded_s)
        elif element.tag == "tripinfo":
            taxi = element.find("taxi")
            if taxi is not None:
                occupied_m += float(taxi.attrib["occupiedDistance"])
                driven_m += float(element.attrib["routeLength"])
    return Result(
        riders=len(waits_s),
        unserved=unserved,
        wait_mean_s=float(np.mean(waits_s)),
        wait_p95_s=float(np.quantile(waits_s, 0.95)),
        ride_mean_s=float(np.mean(rides_s)),
        taxi_km=driven_m / 1000,
        occupied_share=occupied_m / driven_m,
    )
