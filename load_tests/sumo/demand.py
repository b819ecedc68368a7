"""Who rides from where to where, and where the taxis stand: SUMO route files, drawn by seed."""

import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAXIS = 60
DEMAND_S = 3600
HOT_SPOTS = 5
# SUMO holds a taxi this long at each end of a ride.
BOARDING_S = 20

_HEAD = f"""<routes>
 <vType id="taxi" vClass="taxi" personCapacity="4">
  <param key="has.taxi.device" value="true"/>
  <param key="device.taxi.pickUpDuration" value="{BOARDING_S}"/>
  <param key="device.taxi.dropOffDuration" value="{BOARDING_S}"/>
  <param key="device.taxi.parking" value="true"/>
  <param key="device.taxi.end" value="1e6"/>
 </vType>
"""


@dataclass(frozen=True, slots=True)
class Street:
    """An edge of the network: its name, where it begins (metres), its length, a lane for taxis."""

    name: str
    x_m: float
    y_m: float
    length_m: float
    lane: int


def read_streets(net: Path) -> list[Street]:
    """Streets from each of which every other can be reached by taxi; no motorways, no stubs."""
    import sumolib  # noqa: PLC0415 - a peer; reading results does without

    edges = [edge for edge in sumolib.net.readNet(str(net)).getEdges() if edge.allows("taxi")]
    fit = [edge for edge in edges if edge.getLength() > 40 and edge.getSpeed() < 22]
    xs, ys = zip(*(edge.getFromNode().getCoord() for edge in fit), strict=True)
    middle = (sorted(xs)[len(xs) // 2], sorted(ys)[len(ys) // 2])
    start = min(fit, key=lambda edge: math.dist(edge.getFromNode().getCoord(), middle))
    joined = _reached(start, towards="getOutgoing") & _reached(start, towards="getIncoming")
    return [
        Street(
            name=edge.getID(),
            x_m=edge.getFromNode().getCoord()[0],
            y_m=edge.getFromNode().getCoord()[1],
            length_m=edge.getLength(),
            lane=next(lane.getIndex() for lane in edge.getLanes() if lane.allows("taxi")),
        )
        for edge in fit
        if edge.getID() in joined
    ]


def _reached(start: Any, *, towards: str) -> set[str]:
    seen, left = {start.getID()}, [start]
    while left:
        for edge in getattr(left.pop(), towards)():
            if edge.getID() not in seen and edge.allows("taxi"):
                seen.add(edge.getID())
                left.append(edge)
    return seen


def write_routes(path: Path, *, streets: list[Street], per_hour: int, seed: int) -> None:
    """One hour with so many requests at random moments, and taxis anywhere.

    The number is the same for all seeds: a Poisson stream of which that is known. Sixty in a
    hundred begin near one of five hot spots, forty end near one, the rest anywhere; none is shorter
    than a seventh of the way across. The taxis and the hot spots depend on the seed alone.
    """
    draw = random.Random(seed)
    across_m = max(
        max(street.x_m for street in streets) - min(street.x_m for street in streets),
        max(street.y_m for street in streets) - min(street.y_m for street in streets),
    )
    hot = draw.sample(streets, HOT_SPOTS)
    lines = [_taxi(number, draw.choice(streets)) for number in range(TAXIS)]

    def place(share_hot: float) -> Street:
        if draw.random() >= share_hot:
            return draw.choice(streets)
        centre = draw.choice(hot)
        x_m = draw.gauss(centre.x_m, 0.08 * across_m)
        y_m = draw.gauss(centre.y_m, 0.08 * across_m)
        some = draw.sample(streets, min(200, len(streets)))
        return min(some, key=lambda street: math.hypot(street.x_m - x_m, street.y_m - y_m))

    moments_s = sorted(draw.uniform(0, DEMAND_S) for _ in range(per_hour))
    for number, depart_s in enumerate(moments_s):
        start, end = place(0.6), place(0.4)
        while math.hypot(start.x_m - end.x_m, start.y_m - end.y_m) < 0.15 * across_m:
            end = place(0.4)
        lines.append(_rider(number, start, end=end, depart_s=depart_s))
    path.write_text(_HEAD + "\n".join(lines) + "\n</routes>\n")


def _taxi(number: int, street: Street) -> str:
    return (
        f' <vehicle id="t{number}" type="taxi" depart="0" departPos="random" line="taxi">'
        f'<route edges="{street.name}"/><stop lane="{street.name}_{street.lane}" '
        f'endPos="{street.length_m * 0.8:.1f}" triggered="person" parking="true"/></vehicle>'
    )


def _rider(number: int, start: Street, *, end: Street, depart_s: float) -> str:
    return (
        f' <person id="p{number}" depart="{depart_s:.0f}" departPos="{start.length_m / 2:.1f}">'
        f'<ride from="{start.name}" to="{end.name}" arrivalPos="{end.length_m / 2:.1f}" '
        'lines="taxi"/></person>'
    )
