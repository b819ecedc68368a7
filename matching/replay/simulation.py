"""One day under one policy, tick by tick, in virtual time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matching.arrays import LONGEST_S, BoolArray, FloatArray, IntArray
from matching.problem import Candidates, Demand, Id, Problem, Supply
from matching.replay.answers import Questions
from matching.replay.day import Day
from matching.replay.drift import Drift
from matching.replay.income import Takings, empty_m
from matching.replay.policies import Pair, Policy
from matching.replay.times import DriveTimes
from matching.sought_after import RECENT_S, sought_after

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Tick:
    """What one pairing saw and did: when, and how many waited, were free and were sent."""

    now_s: float
    waiting: int
    free: int
    sent: int


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of each request; one entry each, in their order.

    `shift` is the one that served it, or -1 where the rider was lost. `ended_waiting_s` is when a
    driver was sent or the rider gave up; `picked_up_s` when the car stood there, `dropped_off_s`
    when the ride was over, `pickup_s` the drive to the pickup and `came_from` the place where it
    began: nan and -1 for the lost. `kept_minor` is what each driver kept: her fares net of
    commission, less the cost of driving empty. `declined` counts offers that were declined or not
    answered in time. One entry per shift have `ended_s`, when it really ended, and `drift_m`, the
    metres driven to where the driver was told to wait; `hints` counts those advices. All times
    count from the day's beginning.
    """

    shift: IntArray
    ended_waiting_s: FloatArray
    picked_up_s: FloatArray
    dropped_off_s: FloatArray
    pickup_s: FloatArray
    came_from: IntArray
    declined: int
    kept_minor: FloatArray
    ended_s: FloatArray
    drift_m: FloatArray
    hints: int

    @property
    def served(self) -> BoolArray:
        """Whether each request was served."""
        return np.asarray(self.shift != NOBODY)


class Simulation:
    """A day in virtual time. The same day, policy, times and seed always end in the same outcome.

    Drivers stay where their last ride ended, unless the policy gives hints where to wait. Offers
    are answered at once, unless the day knows how drivers answer: then rider and driver wait for
    it, as long as the rules allow. Refused: hints for a day without an outlook.
    """

    def __init__(self, day: Day, *, policy: Policy, times: DriveTimes, seed: int) -> None:
        self._day = day
        self._policy = policy
        self._times = times
        self._seed = seed
        self._weights = policy.weights(day.rules)
        many = len(day.requests)
        # Of each shift: when its driver is free, when dispatch thinks so, and where that will be;
        # the beginning of her ride and how long dispatch then thought that it takes.
        self._free_s = day.shifts.start_s.copy()
        self._expected_free_s = day.shifts.start_s.copy()
        self._departs_s = day.shifts.start_s.copy()
        self._expected_ride_s = np.zeros(len(day.shifts))
        self._place = np.array(day.shifts.stands_at, dtype=np.int64)
        booked, rules = day.requests.booked_ahead, day.rules
        # A rider gives up when her patience or her plans end, whichever comes first; who booked
        # ahead does when the promise is broken.
        patience_s = np.minimum(rules.patience_s, day.requests.cancels_after_s)
        self._gives_up_s = day.requests.requested_s + np.where(
            booked, rules.pickup_window_s, patience_s
        )
        search_s = day.requests.requested_s - np.where(booked, rules.search_ahead_s, 0.0)
        self._order = np.argsort(search_s, kind="stable")
        self._search_s = np.maximum(search_s[self._order], 0.0)
        self._rank = np.argsort(self._order, kind="stable")
        self._ended_s = day.shifts.end_s.copy()
        self._takings = Takings(day)
        self._drift: Drift | None = None
        if policy.hints:
            if day.outlook is None:
                raise ValueError("hints need a day with an outlook")
            self._drift = Drift(day, day.outlook, times=times, seed=seed)
        self._drift_m = np.zeros(len(day.shifts))
        self._hint_count = 0
        self._waiting: list[int] = []
        self._next = 0
        self._questions = Questions(len(day.shifts))
        self._declined: set[tuple[Id, Id]] = set()
        self._declined_count = 0
        self._shift = np.full(many, NOBODY, dtype=np.int64)
        self._came_from = np.full(many, NOBODY, dtype=np.int64)
        self._ended_waiting_s = np.full(many, np.nan)
        self._picked_up_s = np.full(many, np.nan)
        self._dropped_off_s = np.full(many, np.nan)
        self._pickup_s = np.full(many, np.nan)

    def ticks(self) -> Iterator[Tick]:
        """Run the day. Each step is one pairing; after the last nobody waits any more."""
        window_s, requests = self._day.rules.window_s, self._day.requests
        number = 0
        while self._waiting or self._questions or self._next < len(requests):
            number += 1
            if not (self._waiting or self._questions):
                # While nobody waits there is nothing to pair.
                next_s = float(self._search_s[self._next])
                number = max(number, int(np.ceil(next_s / window_s)))
            now_s = number * window_s
            self._let_come_and_go(now_s)
            self._let_drift(now_s)
            yield self._pair(now_s)

    def outcome(self) -> Outcome:
        """What became of everybody, once all ticks have passed."""
        assert not self._waiting, "the day is not over"
        assert not self._questions, "the day is not over"
        assert self._next == len(self._day.requests), "the day is not over"
        return Outcome(
            shift=self._shift,
            ended_waiting_s=self._ended_waiting_s,
            picked_up_s=self._picked_up_s,
            dropped_off_s=self._dropped_off_s,
            pickup_s=self._pickup_s,
            came_from=self._came_from,
            declined=self._declined_count,
            kept_minor=self._takings.kept_minor,
            ended_s=self._ended_s,
            drift_m=self._drift_m,
            hints=self._hint_count,
        )

    def _let_come_and_go(self, now_s: float) -> None:
        until = int(np.searchsorted(self._search_s, now_s, side="right"))
        self._waiting += self._order[self._next : until].tolist()
        self._next = until
        back = self._questions.returning(now_s)
        if back:
            self._waiting = sorted([*self._waiting, *back], key=self._rank.__getitem__)
        staying = []
        for rider in self._waiting:
            if now_s <= self._gives_up_s[rider]:
                staying.append(rider)
            else:
                self._ended_waiting_s[rider] = self._gives_up_s[rider]
        if len(staying) < len(self._waiting):
            here: set[Id] = {*staying, *self._questions.riders}
            self._declined = {pair for pair in self._declined if pair[0] in here}
        self._waiting = staying

    def _on_shift(self, now_s: float) -> BoolArray:
        shifts = self._day.shifts
        return np.asarray((shifts.start_s <= now_s) & (now_s < shifts.end_s))

    def _let_drift(self, now_s: float) -> None:
        """Idle drivers are told where to wait, and are on their way there."""
        drift = self._drift
        if drift is None:
            return
        for moment_s in drift.moments(now_s):
            self._drive_on(drift, moment_s)
            idle = self._on_shift(moment_s) & (self._free_s <= moment_s)
            hints = drift.give_hints(
                moment_s,
                place=self._place,
                idle=idle,
                free_s=self._expected_free_s,
                end_s=self._day.shifts.end_s,
            )
            self._hint_count += len(hints)
        self._drive_on(drift, now_s)

    def _drive_on(self, drift: Drift, now_s: float) -> None:
        going, metres = drift.move(now_s, place=self._place, end_s=self._day.shifts.end_s)
        self._drift_m[going] += metres
        for shift, driven_m in zip(going.tolist(), metres.tolist(), strict=True):
            self._takings.add(shift, empty_m=driven_m)

    def _pair(self, now_s: float) -> Tick:
        shifts = self._day.shifts
        on_shift = self._on_shift(now_s) & ~self._questions.silent(now_s)
        free = on_shift & (self._free_s <= now_s)
        self._look_where_they_are(now_s)
        # Who is late is expected at any moment, but not now.
        free_in_s = np.maximum(self._expected_free_s - now_s, self._day.rules.window_s)
        soon = on_shift & ~free & (free_in_s <= self._policy.horizon_s)
        soon &= now_s + free_in_s < shifts.end_s
        able = np.flatnonzero(free | soon)
        many_free = int(np.count_nonzero(free))
        if not self._waiting or not len(able):
            return Tick(now_s, len(self._waiting), many_free, 0)
        problem = self._problem(now_s, able, np.where(free[able], 0.0, free_in_s[able]))
        pairs = self._policy.decide(
            problem,
            pickup_s=lambda candidates: self._drive_s(problem, candidates, able),
            patience_s=self._day.rules.patience_s,
            seed=self._seed,
        )
        waiting = len(self._waiting)
        riders = np.array(self._waiting)
        sent = 0
        for pair in pairs:
            sent += self._offer(int(riders[pair.rider]), int(able[pair.driver]), pair, now_s)
        return Tick(now_s, waiting, many_free, sent)

    def _look_where_they_are(self, now_s: float) -> None:
        """When drivers under way will be free, from how much of the way lies before them.

        They are taken to drive at an even pace, so that what dispatch expects comes true at last.
        """
        ride_s = np.maximum(self._free_s - self._departs_s, 1e-9)
        left = np.clip((self._free_s - now_s) / ride_s, 0.0, 1.0)
        self._expected_free_s = np.maximum(self._departs_s, now_s) + left * self._expected_ride_s

    def _sought_after(self, now_s: float, stands: IntArray) -> FloatArray:
        """Per place how soon another rider is expected near it, from who asked lately."""
        if not self._weights.stay_s:
            return np.zeros(len(stands))
        places, requests = self._day.places, self._day.requests
        recent = slice(
            *np.searchsorted(requests.requested_s, (now_s - RECENT_S, now_s), side="right")
        )
        asked = requests.pickup[recent][~requests.booked_ahead[recent]]
        return sought_after(
            lat=places.lat[stands],
            lng=places.lng[stands],
            asked_lat=places.lat[asked],
            asked_lng=places.lng[asked],
        )

    def _problem(self, now_s: float, able: IntArray, free_in_s: FloatArray) -> Problem:
        places, requests = self._day.places, self._day.requests
        pickup = requests.pickup[self._waiting]
        stands = self._place[able]
        lacking = np.zeros(len(able))
        if self._weights.fairness_s:
            lacking = self._takings.underpaid(
                now_s, busy_until_s=self._expected_free_s, end_s=self._ended_s
            )[able]
        booked = requests.booked_ahead[self._waiting]
        ahead_s = requests.requested_s[self._waiting] - now_s
        return Problem(
            demand=Demand(
                ids=tuple(self._waiting),
                lat=places.lat[pickup],
                lng=places.lng[pickup],
                waited_s=np.maximum(-ahead_s, 0.0),
                due_in_s=np.maximum(ahead_s, 0.0),
                late_in_s=np.where(booked, self._gives_up_s[self._waiting] - now_s, LONGEST_S),
            ),
            supply=Supply(
                ids=tuple(able.tolist()),
                lat=places.lat[stands],
                lng=places.lng[stands],
                free_in_s=free_in_s,
                underpaid=lacking,
                sought_after=self._sought_after(now_s, stands),
            ),
            weights=self._weights,
            excluded=frozenset(self._declined),
        )

    def _drive_s(self, problem: Problem, candidates: Candidates, able: IntArray) -> FloatArray:
        riders = np.array(problem.demand.ids, dtype=np.int64)
        return self._times.drive_s(
            self._place[able[candidates.driver]],
            end=self._day.requests.pickup[riders[candidates.rider]],
        )

    def _offer(self, rider: int, shift: int, pair: Pair, now_s: float) -> bool:
        """The driver is on her way to the rider; or she said no, and is not asked for her again.

        Returned: whether she goes. Until she answers or her time is over both take part in nothing.
        """
        assert self._free_s[shift] <= now_s, "a driver was sent before she was free"
        after_s, comes = self._answer(rider, shift)
        offer_time_s = self._day.rules.offer_time_s
        if after_s > offer_time_s:
            after_s, comes = offer_time_s, False
        answered_s, gives_up_s = now_s + after_s, float(self._gives_up_s[rider])
        if after_s:
            self._questions.ask(shift=shift, until_s=min(answered_s, gives_up_s))
        if comes and answered_s <= gives_up_s:
            self._send(rider, shift, pair, answered_s)
            return True
        self._declined.add((rider, shift))
        self._declined_count += 1
        if after_s:
            # Who gives up meanwhile is looked for in the pairing after it, and found to be gone.
            self._waiting.remove(rider)
            self._questions.keep(rider, until_s=answered_s)
        return False

    def _send(self, rider: int, shift: int, pair: Pair, now_s: float) -> None:
        """The driver sets out to the rider."""
        requests, rules = self._day.requests, self._day.rules
        # Who booked ahead does not board before the time she wished for.
        boards_s = max(now_s + pair.pickup_s, float(requests.requested_s[rider]))
        departs_s = boards_s + rules.boarding_s
        self._waiting.remove(rider)
        self._shift[rider] = shift
        self._came_from[rider] = self._place[shift]
        self._take(rider, shift)
        self._ended_waiting_s[rider] = now_s
        self._pickup_s[rider] = pair.pickup_s
        self._picked_up_s[rider] = now_s + pair.pickup_s
        self._dropped_off_s[rider] = departs_s + requests.ride_s[rider]
        self._place[shift] = requests.dropoff[rider]
        self._free_s[shift] = self._dropped_off_s[rider]
        self._departs_s[shift] = departs_s
        self._expected_ride_s[shift] = requests.expected_ride_s[rider]
        self._expected_free_s[shift] = departs_s + requests.expected_ride_s[rider]
        self._begin_next_later(shift)
        following = int(self._day.shifts.following[shift])
        # What lasts into the next shift of the same driver is counted there.
        latest_s = np.inf if following == NOBODY else self._day.shifts.start_s[following]
        self._ended_s[shift] = max(self._ended_s[shift], min(self._free_s[shift], latest_s))

    def _take(self, rider: int, shift: int) -> None:
        """The driver is paid for this ride, less the cost of the drive to the rider."""
        if self._drift is not None:
            self._drift.stop(shift)
        pickup_m = empty_m(
            self._day.places,
            self._place[[shift]],
            end=self._day.requests.pickup[[rider]],
        )
        self._takings.add(
            shift, net_minor=float(self._day.requests.net_minor[rider]), empty_m=float(pickup_m[0])
        )

    def _begin_next_later(self, shift: int) -> None:
        """A ride that lasts into the driver's next shift lets that one begin at its end."""
        following = int(self._day.shifts.following[shift])
        if following != NOBODY and self._free_s[following] < self._free_s[shift]:
            self._free_s[following] = self._free_s[shift]
            self._expected_free_s[following] = self._free_s[shift]
            self._departs_s[following] = self._free_s[shift]
            self._place[following] = self._place[shift]

    def _answer(self, rider: int, shift: int) -> tuple[float, bool]:
        """After how many seconds the driver answers, and whether she comes.

        Drawn for this rider and driver alone, so that every policy meets the same moods.
        """
        driver = int(self._day.shifts.driver[shift])
        if self._day.answers is not None:
            return self._day.answers.drawn(rider=rider, driver=driver, seed=self._seed)
        share = self._day.rules.accept_share
        if share == 1:
            return 0.0, True
        mood = np.random.default_rng([self._seed, rider, driver]).random()
        return 0.0, bool(mood < share)
