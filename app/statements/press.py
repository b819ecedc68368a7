"""Draws papers beside the event loop: one at a time in a thread, and few that wait."""

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from app.statements.errors import PressBusy

MOST_AT_ONCE: Final = 8
PATIENCE_S: Final = 30.0


class Press:
    """Draws one paper after the other; who comes when too many wait is told so at once.

    A thread shares the interpreter with the loop, so one at a time is what the loop can bear.
    """

    def __init__(self, *, most_at_once: int = MOST_AT_ONCE, patience_s: float = PATIENCE_S) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="press")
        self._places = threading.Semaphore(most_at_once)
        self._patience_s = patience_s

    async def draw[**P, T](self, paper: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the function made in the press's thread.

        Raises:
            PressBusy: too many wait already, or it took longer than half a minute with the wait.
        """
        if not self._places.acquire(blocking=False):
            raise PressBusy
        work = self._thread.submit(functools.partial(paper, *args, **kwargs))
        # Called also for what was given up before its turn; a paper that is being drawn keeps its
        # place until it is done, whoever still waits for it.
        work.add_done_callback(lambda _: self._places.release())
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            raise PressBusy from None
