"""Meent dispatches SUMO's taxis through libsumo, one simulation per process.

`python -m load_tests.sumo.drive NET ROUTES TRIPINFO [--policy meent:horizon_s=300] [--pooled]`.
Drive times are those of SUMO's network when it is empty, times one factor learned on the way from
the drives that were finished.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from load_tests.sumo.fleet import Fleet
from load_tests.sumo.graph import StreetGraph
from load_tests.sumo.networks import sumo_home
from load_tests.sumo.options import END_S, PERIOD_S, sumo_options
from load_tests.sumo.pooled import PooledDispatcher
from load_tests.sumo.solo import SoloDispatcher
from matching.replay.policies import named_policy


def main() -> None:
    """Run one simulation and print what it took as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", type=Path)
    parser.add_argument("routes", type=Path)
    parser.add_argument("tripinfo", type=Path)
    parser.add_argument("--policy", type=named_policy, default="meent")
    parser.add_argument("--pooled", action="store_true", help="several riders share a taxi")
    asked = parser.parse_args()
    sumo_home()
    import libsumo  # noqa: PLC0415 - a peer; only this process needs it

    libsumo.start(
        [
            "sumo",
            *sumo_options(
                net=asked.net, routes=asked.routes, tripinfo=asked.tripinfo, algorithm="traci"
            ),
        ]
    )
    fleet = Fleet(libsumo, StreetGraph(libsumo))
    dispatcher = PooledDispatcher(fleet) if asked.pooled else SoloDispatcher(fleet, asked.policy)
    now_s = 0.0
    while now_s < END_S:
        libsumo.simulationStep(now_s + PERIOD_S)
        now_s += PERIOD_S
        dispatcher.tick(now_s)
    libsumo.close()
    print(
        json.dumps(
            {
                "decisions": len(fleet.decide_s),
                "decide_ms": float(np.median(fleet.decide_s)) * 1e3,
                "pace": fleet.pace.factor,
            }
        )
    )


if __name__ == "__main__":
    main()
