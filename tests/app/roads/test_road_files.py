"""Road files are prepared once, kept, and refused in one line where they are none."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import osmium
import pytest

from app.roads.network import RoadNetwork, load_network
from app.roads.osrm_data import OsrmData, prepare_osrm
from app.roads.places import build_places
from app.roads.port import RoadFileError
from app.roads.snapping import SnapIndex
from matching.travel import Point, distance_m


def quiet(_line: str) -> None:
    """Nobody listens."""


def prepare(path: Path, home: Path) -> object:
    return prepare_osrm(path, home=home, say=quiet)


def load(path: Path, home: Path) -> object:
    return load_network(path, home=home)


def build(path: Path, home: Path) -> object:
    return build_places(path, home=home)


def garbage(path: Path) -> None:
    path.write_bytes(b"these are no streets" * 100)


def nothing(path: Path) -> None:
    path.touch()


def absence(path: Path) -> None:
    assert not path.exists()


def cut_short(path: Path, *, whole: Path) -> None:
    path.write_bytes(whole.read_bytes()[:300_000])


def a_bench_and_no_street(path: Path) -> None:
    with osmium.SimpleWriter(str(path)) as writer:
        writer.add_node(
            osmium.osm.mutable.Node(id=1, location=(9.5, 47.1), tags={"amenity": "bench"})
        )


@pytest.mark.parametrize("use", [prepare, load, build])
@pytest.mark.parametrize("fill", [garbage, nothing, absence])
def test_a_file_that_is_no_extract_is_refused_in_one_line_and_leaves_nothing(
    tmp_path: Path, use: Callable[[Path, Path], object], fill: Callable[[Path], None]
) -> None:
    path, home = tmp_path / "bad.osm.pbf", tmp_path / "home"
    fill(path)
    with pytest.raises(RoadFileError) as refused:
        use(path, home)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)
    kept = [item.name for item in home.rglob("*") if not item.name.endswith(".lock")]
    assert kept in ([], ["roads"])


@pytest.mark.parametrize("use", [prepare, load])
def test_an_extract_without_streets_is_refused(
    tmp_path: Path, use: Callable[[Path, Path], object]
) -> None:
    path = tmp_path / "bench.osm.pbf"
    a_bench_and_no_street(path)
    with pytest.raises(RoadFileError) as refused:
        use(path, tmp_path / "home")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("use", [prepare, load, build])
def test_an_extract_that_was_cut_short_is_refused(
    tmp_path: Path, pbf: Path, use: Callable[[Path, Path], object]
) -> None:
    path = tmp_path / "half.osm.pbf"
    cut_short(path, whole=pbf)
    with pytest.raises(RoadFileError):
        use(path, tmp_path / "home")


def test_preparing_twice_uses_what_is_there(
    pbf: Path, road_home: Path, osrm_data: OsrmData
) -> None:
    said: list[str] = []
    made_at = osrm_data.folder.stat().st_mtime_ns
    again = prepare_osrm(pbf, home=road_home, say=said.append)
    assert again == osrm_data
    assert said == []
    assert again.folder.stat().st_mtime_ns == made_at


def test_two_that_prepare_at_once_make_one_set(pbf: Path, tmp_path: Path) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: prepare_osrm(pbf, home=tmp_path, say=said.append), range(2))
    assert one == other
    assert len(said) == 3
    left = [path.name for path in (tmp_path / "roads").iterdir() if path.name.startswith(".")]
    assert left == []


def test_what_a_killed_preparation_left_is_swept_away(
    pbf: Path, tmp_path: Path, osrm_data: OsrmData
) -> None:
    key = osrm_data.folder.name.removesuffix("-osrm")
    unfinished = tmp_path / "roads" / f".{key}-killed"
    unfinished.mkdir(parents=True)
    data = prepare_osrm(pbf, home=tmp_path, say=quiet)
    assert data.folder.is_dir()
    assert not unfinished.exists()


def test_the_engine_listens_on_the_loopback_only(osrm_data: OsrmData) -> None:
    argv = osrm_data.argv(5055)
    assert argv[argv.index("-i") + 1] == "127.0.0.1"
    assert argv[argv.index("-p") + 1] == "5055"
    assert "-s" not in argv


def test_a_kept_network_is_the_network_that_was_read(
    pbf: Path, network: RoadNetwork, road_home: Path
) -> None:
    for other in (load_network(pbf), load_network(pbf, home=road_home)):
        assert np.array_equal(other.lat, network.lat)
        assert np.array_equal(other.forward_s, network.forward_s)
        assert np.array_equal(other.names, network.names)


def test_a_damaged_copy_is_made_anew(pbf: Path, tmp_path: Path, network: RoadNetwork) -> None:
    load_network(pbf, home=tmp_path)
    places = build_places(pbf, home=tmp_path)
    for kept in (tmp_path / "roads").iterdir():
        kept.write_bytes(kept.read_bytes()[:1000])
    assert np.array_equal(load_network(pbf, home=tmp_path).lat, network.lat)
    assert build_places(pbf, home=tmp_path).rows == places.rows


def test_every_street_that_is_kept_may_be_driven_one_way_at_least(network: RoadNetwork) -> None:
    assert len(network.lat) > 10_000
    assert np.isfinite(np.minimum(network.forward_s, network.backward_s)).all()
    assert (network.length_m > 0).all()
    one_way = np.isinf(network.forward_s) | np.isinf(network.backward_s)
    assert 0 < one_way.mean() < 0.2


def test_the_distance_is_to_the_street_and_not_to_its_corner(snap_index: SnapIndex) -> None:
    network = snap_index.network
    longest = int(network.length_m.argmax())
    tail, head = network.tail[longest], network.head[longest]
    middle = Point(
        lat=float(network.lat[tail] + network.lat[head]) / 2,
        lng=float(network.lng[tail] + network.lng[head]) / 2,
    )
    to_corner_m = distance_m(middle, to=Point(lat=network.lat[tail], lng=network.lng[tail]))
    spot = snap_index.snap(middle)
    assert to_corner_m > 100
    assert spot.snapped.distance_m < 0.1


def test_the_nearest_street_is_nearest_of_all(snap_index: SnapIndex) -> None:
    random = np.random.default_rng(3)
    network = snap_index.network
    for lat, lng in zip(
        random.uniform(47.05, 47.27, 40), random.uniform(9.47, 9.63, 40), strict=True
    ):
        point = Point(lat=float(lat), lng=float(lng))
        spot = snap_index.snap(point)
        to_corners_m = [
            distance_m(point, to=Point(lat=float(a), lng=float(b)))
            for a, b in zip(network.lat[::10], network.lng[::10], strict=True)
        ]
        assert spot.snapped.distance_m <= min(to_corners_m) + 0.01
        assert distance_m(point, to=spot.snapped.point) == pytest.approx(
            spot.snapped.distance_m, abs=0.05
        )
