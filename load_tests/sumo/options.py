"""The options that every simulation shares, whoever dispatches."""

from pathlib import Path

PERIOD_S = 10.0
END_S = 7200.0


def sumo_options(*, net: Path, routes: Path, tripinfo: Path, algorithm: str) -> list[str]:
    """SUMO's arguments: one seed, one second per step, pairings every ten seconds, two hours."""
    return [
        *("--net-file", str(net)),
        *("--route-files", str(routes)),
        *("--tripinfo-output", str(tripinfo)),
        "--tripinfo-output.write-unfinished",
        *("--device.taxi.dispatch-algorithm", algorithm),
        *("--device.taxi.dispatch-period", str(PERIOD_S)),
        *("--end", str(END_S)),
        *("--step-length", "1"),
        *("--time-to-teleport", "120"),
        *("--seed", "1"),
        "--no-step-log",
        "--no-warnings",
    ]
