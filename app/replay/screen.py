"""Shows on stderr how far a replay has come."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app.terminal import say

LINE_EVERY_S = 5.0


class Screen(AbstractContextManager["Screen"]):
    """How far what is replayed has come: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, length: float, *, whole: str = "day") -> None:
        self._length = length
        self._whole = whole
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, name: str) -> Callable[[float], None]:
        """Return what is to be called with how far it has come under this name."""
        bar = self._bar
        if bar is not None:
            task = bar.add_task(name, total=self._length)
            return lambda so_far: bar.update(task, completed=min(so_far, self._length))
        said_s = time.monotonic()

        def tell(so_far: float) -> None:
            nonlocal said_s
            if time.monotonic() - said_s > LINE_EVERY_S:
                said_s = time.monotonic()
                say(f"{name}: {min(so_far / self._length, 1):.0%} of the {self._whole}")

        return tell
