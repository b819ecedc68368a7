"""Starts child processes that cannot outlive their parent, and keeps a family of them running.

Each child hangs on a leash (`leash.py`), a tiny process in a session of its own: Ctrl-C in the
terminal reaches only the parent, which stops its children in order, and the parent's death by any
means lets go of every leash, which then stops its child: its stop signal, the grace time, SIGKILL.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_LEASH = Path(__file__).with_name("leash.py")
_START_S = 20.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class ChildFailedError(Exception):
    """A child could not be started, or does not stay alive; the message is one line for people."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user and the group that a child runs as; only root can choose another than its own."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run, as whom, and how to end it.

    `env` None hands on the parent's environment. `log_path` None hands on the parent's output;
    otherwise both output streams are appended to that file (0600 if new). `before` runs in a
    thread before every start, also before a restart.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    user: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    log_path: Path | None = None
    before: Callable[[], None] | None = None


class Child:
    """A program that runs on its leash; `pid` is the program's own process, not the leash's."""

    def __init__(
        self, command: Command, *, leash: subprocess.Popen[bytes], lifeline: socket.socket
    ) -> None:
        self.command = command
        self.pid = 0
        self._leash = leash
        self._lifeline = lifeline
        self._one_reader = asyncio.Lock()
        self._code: int | None = None

    @property
    def leash_pid(self) -> int:
        """The process that watches over the program."""
        return self._leash.pid

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet, as far as its leash has told."""
        return self._code is None and self._leash.poll() is None

    async def wait(self) -> int:
        """Return the exit code once the program has ended; 128 + number after a signal."""
        async with self._one_reader:
            if self._code is None:
                loop = asyncio.get_running_loop()
                while await loop.sock_recv(self._lifeline, 64):
                    pass  # The end of the stream is the end of the leash.
                while (code := self._leash.poll()) is None:  # noqa: ASYNC110 -- microseconds
                    await asyncio.sleep(0.002)
                if code < 0:
                    await self._end_without_leash()
                self._lifeline.close()
                self._code = code if code >= 0 else 128 - code
        return self._code

    async def stop(self) -> int:
        """Return the exit code; the program has ended, by SIGKILL after its grace time."""
        self.let_go()
        try:
            async with asyncio.timeout(self.command.grace_s + 5.0):
                return await self.wait()
        except TimeoutError:
            self._leash.kill()  # It does not do its work: do it ourselves.
            return await self.wait()

    def let_go(self) -> None:
        """Order the end of the program without waiting for it."""
        with suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_WR)

    async def _started(self) -> Self:
        """Take the leash's report: the process id, or why there is none."""
        report = b""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_START_S):
            while not report.endswith(b"\n"):
                part = await loop.sock_recv(self._lifeline, 1024)
                report += part or b"! its leash ended\n"
        if report.startswith(b"!"):
            reason = report.decode()[2:].strip()
            program = self.command.argv[0]
            raise ChildFailedError(f"{self.command.name}: cannot run {program}: {reason}")
        self.pid = int(report)
        return self

    async def _end_without_leash(self) -> None:
        """Do a killed leash's work. On Linux the kernel has already sent the stop signal."""
        if not self.pid:
            return
        if sys.platform != "linux":
            with suppress(ProcessLookupError):
                os.kill(self.pid, self.command.stop_signal)
        await _gone(self.pid, within_s=self.command.grace_s)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        await _gone(self.pid, within_s=5.0)


async def start(command: Command) -> Child:
    """Return the running child; ChildFailedError where its program cannot be run."""
    if command.before is not None:
        await asyncio.to_thread(command.before)
    leash, lifeline = _leashed(command)
    lifeline.setblocking(False)
    child = Child(command, leash=leash, lifeline=lifeline)
    try:
        return await child._started()  # noqa: SLF001 -- this function is its constructor
    except BaseException:
        await child.stop()
        raise


def run(command: Command, *, timeout_s: float) -> int:
    """Return the exit code of a program that ends by itself; for set-up, as it blocks.

    The program does not outlive us either. TimeoutError, and the program stopped, where it takes
    longer than `timeout_s`.
    """
    if command.before is not None:
        command.before()
    leash, lifeline = _leashed(command)
    try:
        return leash.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{command.name} took longer than {timeout_s:g} s") from None
    finally:
        lifeline.close()
        leash.wait(command.grace_s + 5.0)


def alive(pid: int) -> bool:
    """Return whether the process exists and is more than a zombie that nobody has reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return sys.platform != "linux"
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


class Family:
    """Children that live together: kept running, stopped in reverse order at the end.

    A child that ends unasked is started anew after a pause of 0.1 s, doubled up to 5 s while it
    fails within `quick_s` of its start. After `give_up_after` such failures in a row the family's
    block is cancelled and ChildFailedError leaves it. SIGKILL comes from outside and is no
    failure. A second cancellation, while the children are being stopped, lets go of all of
    them at once and does not wait.
    """

    def __init__(
        self,
        *,
        on_restart: Callable[[str], None] | None = None,
        give_up_after: int = 6,
        quick_s: float = 3.0,
    ) -> None:
        self._on_restart = on_restart
        self._give_up_after = give_up_after
        self._quick_s = quick_s
        self._children: dict[str, Child] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._group = asyncio.TaskGroup()

    def child(self, name: str) -> Child:
        """Return the newest process of that name; it may have just ended."""
        return self._children[name]

    async def add(self, command: Command, *, restart: bool = True) -> Child:
        """Return the running child, which is from now on kept running.

        With `restart=False` an end with code 0 is accepted and any other is a ChildFailedError.
        """
        if command.name in self._children:
            raise ValueError(f"there is a child named {command.name} already")
        child = self._children[command.name] = await start(command)
        self._keepers[command.name] = self._group.create_task(
            self._keep(child, restart=restart), name=f"keeps {command.name}"
        )
        return child

    async def _keep(self, child: Child, *, restart: bool) -> None:
        command = child.command
        failures = 0
        while True:
            started_s = time.monotonic()
            code = await child.wait()
            if not restart and code == 0:
                return
            quick = time.monotonic() - started_s < self._quick_s
            failures = failures + 1 if quick else 1
            if code == 128 + signal.SIGKILL:
                failures = 0
            if not restart or failures >= self._give_up_after:
                times = f" {failures} times in a row" if failures > 1 else ""
                raise ChildFailedError(
                    f"{command.name} ended{times} with code {code}{last_words(command)}"
                )
            pause_s = _FIRST_PAUSE_S * 2 ** max(0, failures - 1)
            await asyncio.sleep(min(_LONGEST_PAUSE_S, pause_s))
            child = self._children[command.name] = await start(command)
            if self._on_restart is not None:
                self._on_restart(command.name)

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            try:
                await self._stop_all()
            finally:
                await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            # The block's own error, or the one child's, leaves as itself.
            if len(group.exceptions) > 1:
                raise
            raise group.exceptions[0] from None

    async def _stop_all(self) -> None:
        try:
            for name in reversed(self._children):
                if keeper := self._keepers.get(name):  # None: the family ended while it came.
                    keeper.cancel()
                    # A keeper in the middle of a restart takes its half-started child with it.
                    await asyncio.wait([keeper])
                await self._children[name].stop()
        finally:
            for child in self._children.values():
                child.let_go()


def _leashed(command: Command) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Return the started leash and the only descriptor that holds it."""
    # Found here, as after the change of user Python may not be allowed to read its own library.
    program = shutil.which(command.argv[0], path=(command.env or os.environ).get("PATH"))
    if program is None:
        raise ChildFailedError(f"{command.name}: there is no program {command.argv[0]}")
    account = f"{command.user.uid}:{command.user.gid}" if command.user else "-"
    order = (str(os.getpid()), str(int(command.stop_signal)), str(command.grace_s), account)
    ours, theirs = socket.socketpair()
    try:
        with theirs, _output(command.log_path) as output:
            leash = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LEASH), *order, program, *command.argv[1:]],
                stdin=theirs.fileno(),
                stdout=output,
                stderr=output,
                env=command.env,
                cwd=command.cwd,
                start_new_session=True,
            )
    except OSError as error:
        ours.close()
        raise ChildFailedError(f"{command.name}: cannot be started: {error}") from error
    return leash, ours


@contextmanager
def _output(log_path: Path | None) -> Iterator[int | None]:
    if log_path is None:
        yield None
        return
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        yield log
    finally:
        os.close(log)


def last_words(command: Command) -> str:
    """Return the last line of the child's log as the end of a sentence, or nothing."""
    if command.log_path is None:
        return ""
    with command.log_path.open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
        lines = log.read().decode(errors="replace").strip().splitlines()
    return f"; its last words in {command.log_path}: {lines[-1].strip()}" if lines else ""


async def _gone(pid: int, *, within_s: float) -> None:
    end_s = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < end_s:  # noqa: ASYNC110 -- not our child: no event
        await asyncio.sleep(0.02)
