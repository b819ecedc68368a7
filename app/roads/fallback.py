"""A router that always answers: the engine where it can, an estimate, marked as one, where not."""

import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from app.roads.port import OutsideServiceArea, Route, Router, RouterUnavailable, Seconds, Snapped
from matching.travel import Point

FAILURES_TO_OPEN = 3
PROBE_AFTER_S = 2.0

log = structlog.get_logger(__name__)


class ResilientRouter:
    """A circuit breaker around the engine.

    A failed question is answered by the fallback at once. After three failures in a row the
    engine is left alone for 2 s; then one question tries it, and its success ends the outage.
    """

    def __init__(
        self,
        primary: Router,
        *,
        fallback: Router,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = primary
        self._fallback = fallback
        self._monotonic_s = monotonic_s
        self._failures = 0
        self._probe_at_s = 0.0

    @property
    def is_estimate(self) -> bool:
        """Whether the engine failed when last asked, so that answers are estimates for now."""
        return self._failures > 0 or self._primary.is_estimate

    async def nearest(self, point: Point) -> Snapped:
        """The nearest place on a road, however far."""
        return await self._answer(lambda router: router.nearest(point))

    async def route(self, start: Point, *, end: Point) -> Route:
        """The quickest way; `is_estimate` on it says who answered."""
        return await self._answer(lambda router: router.route(start, end=end))

    async def matrix(self, sources: Sequence[Point], *, destinations: Sequence[Point]) -> Seconds:
        """Seconds from each source to each destination; `is_estimate` says who answered."""
        return await self._answer(lambda router: router.matrix(sources, destinations=destinations))

    async def _answer[T](self, ask: Callable[[Router], Awaitable[T]]) -> T:
        if self._may_ask_primary():
            try:
                answer = await ask(self._primary)
            except RouterUnavailable as error:
                self._note_failure(error)
            except OutsideServiceArea:
                # A refusal is an answer.
                self._note_success()
                raise
            else:
                self._note_success()
                return answer
        return await ask(self._fallback)

    def _may_ask_primary(self) -> bool:
        if self._failures < FAILURES_TO_OPEN:
            return True
        if self._monotonic_s() < self._probe_at_s:
            return False
        # This question is the probe; those that come while it waits do not try as well.
        self._probe_at_s = self._monotonic_s() + PROBE_AFTER_S
        return True

    def _note_failure(self, error: RouterUnavailable) -> None:
        self._failures += 1
        self._probe_at_s = self._monotonic_s() + PROBE_AFTER_S
        if self._failures == FAILURES_TO_OPEN:
            # Only the kind of failure: its text may hold the places that were asked for.
            log.warning("road_engine_down", reason=type(error.__cause__ or error).__name__)

    def _note_success(self) -> None:
        if self._failures >= FAILURES_TO_OPEN:
            log.info("road_engine_back")
        self._failures = 0
