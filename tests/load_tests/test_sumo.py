import xml.etree.ElementTree as ET
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from load_tests.sumo.cases import AIMS, City, Network, city_in, judged, make_cases, ratios, work_of
from load_tests.sumo.demand import DEMAND_S, TAXIS, Street, write_routes
from load_tests.sumo.fleet import Pace
from load_tests.sumo.graph import Drives, Stop, StreetGraph
from load_tests.sumo.networks import GRID
from load_tests.sumo.results import Result, read_result
from load_tests.sumo.runs import CLOSEST, GREEDY, OURS, Case, Run
from matching.arrays import LONGEST_S

TOWN = [
    Street(name=f"e{x}-{y}", x_m=200.0 * x, y_m=200.0 * y, length_m=180.0, lane=0)
    for x in range(8)
    for y in range(8)
]


def routes(folder: Path, *, seed: int, per_hour: int = 300) -> ET.Element:
    path = folder / f"{seed}-{per_hour}.xml"
    write_routes(path, streets=TOWN, per_hour=per_hour, seed=seed)
    return ET.parse(path).getroot()  # noqa: S314 - written a moment ago


def test_as_many_ask_as_were_said_in_the_order_of_their_moments(tmp_path: Path) -> None:
    moments_s = [
        float(person.attrib["depart"]) for person in routes(tmp_path, seed=1).findall("person")
    ]
    assert len(moments_s) == 300
    assert moments_s == sorted(moments_s)
    assert 0 <= moments_s[0] < DEMAND_S / 20
    assert DEMAND_S * 19 / 20 < moments_s[-1] <= DEMAND_S


def test_nobody_rides_less_than_a_seventh_of_the_way_across(tmp_path: Path) -> None:
    at = {street.name: (street.x_m, street.y_m) for street in TOWN}
    for ride in routes(tmp_path, seed=1).iter("ride"):
        (x, y), (u, v) = at[ride.attrib["from"]], at[ride.attrib["to"]]
        assert ((x - u) ** 2 + (y - v) ** 2) ** 0.5 >= 0.15 * 1400


def test_the_same_seed_makes_the_same_requests_and_taxis_do_not_hang_on_the_load(
    tmp_path: Path,
) -> None:
    def taxis(root: ET.Element) -> list[str]:
        return [one.attrib["edges"] for one in root.iter("route")]

    (tmp_path / "again").mkdir()
    again = routes(tmp_path / "again", seed=1)
    assert ET.tostring(routes(tmp_path, seed=1)) == ET.tostring(again)
    assert taxis(routes(tmp_path, seed=1)) == taxis(routes(tmp_path, seed=1, per_hour=50))
    assert taxis(routes(tmp_path, seed=1)) != taxis(routes(tmp_path, seed=2))
    assert len(taxis(again)) == TAXIS


def test_whoever_was_never_picked_up_has_waited_to_the_end(tmp_path: Path) -> None:
    tripinfo = tmp_path / "tripinfo.xml"
    tripinfo.write_text(
        """<tripinfos>
        <personinfo id="a" depart="100.00">
          <ride waitingTime="60.00" vehicle="t1" depart="160.00" arrival="460.00"/></personinfo>
        <personinfo id="b" depart="500.00">
          <ride waitingTime="-1" vehicle="t2" depart="800.00" arrival="-1"/></personinfo>
        <personinfo id="c" depart="600.00">
          <ride waitingTime="-1" vehicle="NULL" depart="-1" arrival="-1"/></personinfo>
        <tripinfo id="t1" routeLength="3000.00"><taxi occupiedDistance="1500.00"/></tripinfo>
        <tripinfo id="t2" routeLength="1000.00"><taxi occupiedDistance="500.00"/></tripinfo>
        <tripinfo id="car" routeLength="9999.00"/>
        </tripinfos>"""
    )
    result = read_result(tripinfo, end_s=1000)
    assert (result.riders, result.unserved) == (3, 1)
    assert result.wait_mean_s == pytest.approx((60 + 300 + 400) / 3)
    assert result.ride_mean_s == pytest.approx((300 + 200) / 2)
    assert (result.taxi_km, result.occupied_share) == (4, 0.5)


def run_of(dispatcher: str, *, seed: int, wait_s: float, network: str = GRID) -> Run:
    case = Case(
        network=network,
        load="saturated",
        per_hour=600,
        seed=seed,
        net=Path("net"),
        routes=Path("routes"),
    )
    result = Result(
        riders=1,
        unserved=0,
        wait_mean_s=wait_s,
        wait_p95_s=2 * wait_s,
        ride_mean_s=300,
        taxi_km=100,
        occupied_share=0.5,
    )
    return Run(case=case, dispatcher=dispatcher, result=result, wall_s=1)


def test_ratios_are_taken_seed_by_seed_and_only_where_both_were_run() -> None:
    runs = [
        run_of(CLOSEST, seed=1, wait_s=300),
        run_of(OURS, seed=2, wait_s=100),
        run_of(OURS, seed=1, wait_s=240),
        run_of(CLOSEST, seed=2, wait_s=200),
        run_of(CLOSEST, seed=3, wait_s=1),
        run_of(OURS, seed=1, wait_s=999, network="elsewhere"),
    ]
    assert ratios(runs, network=GRID, aim=AIMS[0]) == [0.8, 0.5]


def test_a_goal_is_the_mean_of_the_ratios_under_the_limit_of_its_kind_of_network() -> None:
    runs = [
        run_of(name, seed=seed, wait_s=wait_s, network=network)
        for network in (GRID, "Vaduz")
        for name, seed, wait_s in (
            (CLOSEST, 1, 300.0),
            (OURS, 1, 240.0),
            (CLOSEST, 2, 300.0),
            (OURS, 2, 300.0),
        )
    ]
    mean = {goal.what.split(",")[0]: goal for goal in judged(runs) if "wait_mean_s" in goal.what}
    assert mean[GRID].value == mean["Vaduz"].value == pytest.approx(0.9)
    assert mean[GRID].is_met
    assert not mean["Vaduz"].is_met


def test_every_dispatcher_gets_the_same_files_and_the_naive_one_only_once(tmp_path: Path) -> None:
    network = Network(GRID, tmp_path / "grid.net.xml", TOWN)
    cases = make_cases(network, seeds=2, saturated_per_hour=60)
    work = work_of(cases)
    assert all(case.routes.exists() for case in cases)
    assert {(case.load, case.per_hour) for case in cases} == {
        ("saturated", 60),
        ("light", 30),
        ("pooled", 700),
    }
    assert [case.seed for case, dispatcher in work if dispatcher == GREEDY] == [1]
    for peer in (CLOSEST, OURS):
        served = [case for case, dispatcher in work if dispatcher == peer]
        assert served == [case for case in cases if case.load != "pooled"]


def test_a_city_folder_names_its_own_extract(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text('name = "Vaduz"\n[files]\nroads = "streets.osm.pbf"\n')
    assert city_in(tmp_path) == City("Vaduz", tmp_path / "streets.osm.pbf")


def drive(empty_s: float, *, signals: float = 0) -> Drives:
    return Drives(np.array([empty_s]), np.array([signals]))


def test_the_pace_begins_with_a_guess_and_follows_what_drives_take() -> None:
    pace = Pace()
    assert pace.factor == pytest.approx(1.15)
    assert pace.signal_s == pytest.approx(12)
    for _ in range(1000):
        pace.learn(drive(100), took_s=200)
    assert pace.factor == pytest.approx(2, rel=0.02)
    assert pace.signal_s == pytest.approx(12)


def test_the_pace_tells_slow_streets_from_traffic_lights() -> None:
    pace, draw = Pace(), np.random.default_rng(1)
    for _ in range(500):
        empty_s, signals = draw.uniform(50, 500), float(draw.integers(0, 20))
        took_s = 1.1 * empty_s + 20 * signals + draw.normal(0, 10)
        pace.learn(drive(empty_s, signals=signals), took_s=took_s)
    assert pace.factor == pytest.approx(1.1, rel=0.02)
    assert pace.signal_s == pytest.approx(20, rel=0.02)
    ways = Drives(np.array([100.0, 100.0, np.inf]), np.array([0.0, 5.0, 0.0]))
    assert pace.expected_s(ways) == pytest.approx([110, 210, np.inf], rel=0.02)


def test_a_traffic_light_never_makes_a_drive_shorter() -> None:
    pace = Pace()
    for _ in range(200):
        pace.learn(drive(100), took_s=150)
        pace.learn(drive(100, signals=5), took_s=100)
    assert pace.signal_s == 0
    assert pace.factor == pytest.approx(1.25, rel=0.02)


class SmallTown:
    """What is asked of SUMO about a network: edges a to e in a row, d alone, all 100 m at 10 m/s.

    A traffic light stands at the end of b and one at the end of c; from a to c leads b alone.
    """

    lane = property(lambda self: self)
    _LINKS: ClassVar[dict[str, tuple[str, str]]] = {
        "a_0": ("b_0", "M"),
        "b_0": ("c_0", "r"),
        "c_0": ("e_0", "G"),
        "e_0": ("", ""),
        "d_0": ("a_0", "m"),
    }

    def getIDList(self) -> list[str]:  # noqa: N802 - SUMO's name
        return [*self._LINKS, ":crossing_0"]

    def getEdgeID(self, lane: str) -> str:  # noqa: N802 - SUMO's name
        return lane.partition("_")[0]

    def getLength(self, _lane: str) -> float:  # noqa: N802 - SUMO's name
        return 100.0

    def getMaxSpeed(self, _lane: str) -> float:  # noqa: N802 - SUMO's name
        return 10.0

    def getAllowed(self, _lane: str) -> tuple[str, ...]:  # noqa: N802 - SUMO's name
        return ()

    def getDisallowed(self, _lane: str) -> tuple[str, ...]:  # noqa: N802 - SUMO's name
        return ()

    def getLinks(self, lane: str) -> list[tuple[object, ...]]:  # noqa: N802 - SUMO's name
        there, state = self._LINKS[lane]
        return [(there, True, True, False, "", state, "s", 0.0)] if there else []


def test_a_drive_takes_the_seconds_and_passes_the_lights_that_are_on_its_way() -> None:
    streets = StreetGraph(SmallTown())
    ways = streets.drives([Stop(edge, 50.0) for edge in "dabce"], Stop("e", 80.0))
    # From the middle of d: half of it, three whole streets, a give-way, and 80 m of e.
    assert ways.empty_s == pytest.approx([44.5, 33, 23, 13, 3])
    assert ways.signals.tolist() == [2, 2, 2, 1, 0]
    back = streets.drives([Stop("e", 0.0), Stop("c", 0.0)], Stop("a", 0.0))
    assert (back.empty_s == LONGEST_S).all()
    assert back.signals.tolist() == [0, 0]
