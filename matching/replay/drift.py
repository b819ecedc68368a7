"""Idle drivers on their way to where they were told to wait."""

import numpy as np

from matching.arrays import BoolArray, FloatArray, IntArray
from matching.nearest import PointTree
from matching.replay.day import Day, Outlook
from matching.replay.income import empty_m
from matching.replay.times import DriveTimes
from matching.waiting_places import NOWHERE, Hint, waiting_places

HINTS_EVERY_S = 300.0
AHEAD_S = 1200.0
# Within this of a waiting place one is already there; a cell of H3 resolution 8 is as wide.
THERE_M = 800.0


class Drift:
    """Who drives where to wait, and where she is on the way.

    Under way a driver is at the place of the day that is nearest to her point on the straight
    line, and can be sent to a rider from there. Not everybody follows: `rules.follow_share` do.
    """

    def __init__(self, day: Day, outlook: Outlook, *, times: DriveTimes, seed: int) -> None:
        self._day, self._outlook, self._times = day, outlook, times
        self._random = np.random.default_rng([seed, 3])
        places = day.places
        self._tree = PointTree(lat=places.lat, lng=places.lng)
        corners = PointTree(lat=places.lat[outlook.place], lng=places.lng[outlook.place])
        near = corners.nearest(lat=places.lat, lng=places.lng, k=1, max_distance_m=THERE_M)
        self._waiting_place_of = np.full(len(places), NOWHERE, dtype=np.int64)
        self._waiting_place_of[near.query] = near.point
        many = len(day.shifts)
        self._goal = np.full(many, NOWHERE, dtype=np.int64)
        self._from = np.full(many, NOWHERE, dtype=np.int64)
        self._departs_s, self._arrives_s = np.zeros(many), np.zeros(many)
        self._share = np.zeros(many)
        self._next_s = HINTS_EVERY_S

    def moments(self, until_s: float) -> list[float]:
        """When hints are given up to this moment, each once."""
        due = []
        while self._next_s <= until_s:
            due.append(self._next_s)
            self._next_s += HINTS_EVERY_S
        return due

    def give_hints(
        self,
        now_s: float,
        *,
        place: IntArray,
        idle: BoolArray,
        free_s: FloatArray,
        end_s: FloatArray,
    ) -> tuple[Hint, ...]:
        """Idle drivers who follow are on their way; `driver` in the hints is a position of a shift.

        The arrays have one entry per shift. Drivers already under way are not called back. Those
        free within the time ahead are expected where their rides end.
        """
        told = np.flatnonzero(idle & (self._goal == NOWHERE))
        if not len(told):
            return ()
        soon = (free_s > now_s) & (free_s <= now_s + AHEAD_S) & (free_s < end_s)
        soon &= self._day.shifts.start_s <= free_s
        arriving = np.concatenate((place[soon], self._goal[self._goal != NOWHERE]))
        at = self._waiting_place_of[arriving]
        stands_at, goals = place[told], self._outlook.place
        drive_s = self._times.drive_s(
            np.repeat(stands_at, len(goals)), end=np.tile(goals, len(told))
        )
        hints = waiting_places(
            drive_s.reshape(len(told), len(goals)),
            stands_in=self._waiting_place_of[stands_at],
            expected=self._outlook.expected(now_s, within_s=AHEAD_S),
            coming=np.bincount(at[at != NOWHERE], minlength=len(goals)),
        )
        follows = self._random.random(len(hints)) < self._day.rules.follow_share
        for hint, follow in zip(hints, follows.tolist(), strict=True):
            if follow:
                shift = int(told[hint.driver])
                self._goal[shift] = goals[hint.place]
                self._from[shift] = place[shift]
                self._departs_s[shift], self._share[shift] = now_s, 0.0
                self._arrives_s[shift] = now_s + hint.drive_s
        return hints

    def move(
        self, now_s: float, *, place: IntArray, end_s: FloatArray
    ) -> tuple[IntArray, FloatArray]:
        """`place` of everybody under way is where she is now; who arrived or went home waits.

        Returned: the shifts that were under way, and the metres of each since she moved last.
        """
        going = np.flatnonzero(self._goal != NOWHERE)
        if not len(going):
            return going, np.empty(0)
        start, goal = self._from[going], self._goal[going]
        length_s = self._arrives_s[going] - self._departs_s[going]
        driven_s = np.minimum(now_s, end_s[going]) - self._departs_s[going]
        share = np.clip(driven_s / np.maximum(length_s, 1e-9), 0, 1)
        place[going] = np.where(share < 1, self._on_the_way(start, goal, share), goal)
        places = self._day.places
        metres = (share - self._share[going]) * empty_m(places, start, end=goal)
        self._share[going] = share
        over = going[(share == 1) | (end_s[going] <= now_s)]
        self._goal[over] = NOWHERE
        return going, metres

    def stop(self, shift: int) -> None:
        """This shift's driver has a rider to fetch instead."""
        self._goal[shift] = NOWHERE

    def _on_the_way(self, start: IntArray, goal: IntArray, share: FloatArray) -> IntArray:
        places = self._day.places
        here = self._tree.nearest(
            lat=places.lat[start] + share * (places.lat[goal] - places.lat[start]),
            lng=places.lng[start] + share * (places.lng[goal] - places.lng[start]),
            k=1,
            max_distance_m=np.inf,
        ).point
        return np.asarray(np.where(share > 0, here, start))
