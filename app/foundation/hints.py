"""Hints say "this stream has news". They may be lost or doubled: the event log is the truth."""

from collections.abc import Callable, Iterable
from uuid import UUID

type Listener = Callable[[frozenset[UUID]], None]


class Hints:
    """The in-process way to pass hints; a bus between processes would take its place."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` with the streams that have news, from now on."""
        self._listeners.append(listener)

    def publish(self, streams: Iterable[UUID]) -> None:
        """Tell every listener that these streams have news."""
        changed = frozenset(streams)
        if not changed:
            return
        for listener in self._listeners:
            listener(changed)
