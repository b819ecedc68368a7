"""Runs one program and ends it when whoever asked for it is gone, even by `kill -9`.

Started by `children.py` by its path, with `python -I -S`, so it imports little and nothing of ours.
Standard input is one end of a socket pair whose other end only the parent holds: the leash reports
the child's process id over it (or why there is none), and takes its end as the order to stop.
"""

import ctypes
import math
import os
import select
import signal
import sys
import time
from contextlib import suppress

LIFELINE = 0
STOP_ORDERS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
PARENT_CHECK_S = 1.0
NOT_STARTED = 127
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Return the child's exit code, 128 + the signal's number where a signal ended it.

    Arguments: parent's process id, stop signal, grace in seconds, `uid:gid` or `-`, then the
    program's path and its arguments.
    """
    parent, stop_signal, grace_s = int(arguments[0]), int(arguments[1]), float(arguments[2])
    wake = _wake_on_signals()
    pid, refusal = _spawn(arguments[4:], account=arguments[3], stop_signal=stop_signal)
    with suppress(OSError):  # The parent may be dead already: the loop will notice.
        os.write(LIFELINE, f"! {refusal}\n".encode() if refusal else f"{pid}\n".encode())
    status = _watch(pid, parent=parent, stop_signal=stop_signal, grace_s=grace_s, wake=wake)
    # What the child left behind in its process group must not outlive it either.
    _kill_group(pid)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _wake_on_signals() -> int:
    """Return a descriptor that gives the number of each signal the leash received, as a byte."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    for number in (signal.SIGCHLD, *STOP_ORDERS):
        signal.signal(number, lambda _number, _frame: None)
    return read_end


def _spawn(argv: list[str], *, account: str, stop_signal: int) -> tuple[int, str]:
    """Return the new process's id, and why its program could not be run, if so."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    leash = os.getpid()
    read_end, write_end = os.pipe()  # A program that runs closes it unwritten.
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_RDWR), LIFELINE)
            os.setpgid(0, 0)
            if account != "-":
                uid, gid = map(int, account.split(":"))
                os.setgroups([gid])
                os.setgid(gid)
                os.setuid(uid)
            if libc is not None:
                # Changing the user clears this, so it comes after; a leash that died before it
                # would never be noticed, so look once more.
                libc.prctl(_PR_SET_PDEATHSIG, stop_signal)
                if os.getppid() != leash:
                    os._exit(NOT_STARTED)
            # Python ignores the last two, a shell's background job the first; a program inherits
            # what is ignored.
            for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.execv(argv[0], argv)  # noqa: S606 -- no shell is wanted
        except Exception as error:  # noqa: BLE001 -- whatever it is, the parent reports it
            os.write(write_end, (getattr(error, "strerror", None) or repr(error)).encode())
        finally:
            os._exit(NOT_STARTED)
    os.close(write_end)
    refusal = os.read(read_end, 512).decode()
    os.close(read_end)
    return pid, refusal


def _watch(pid: int, *, parent: int, stop_signal: int, grace_s: float, wake: int) -> int:
    """Return the child's wait status once it has ended, by itself or because it had to."""
    watched = [LIFELINE, wake]
    kill_at_s = math.inf
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        pause_s = max(0.0, min(PARENT_CHECK_S, kill_at_s - time.monotonic()))
        ready, _, _ = select.select(watched, [], [], pause_s)
        ordered = wake in ready and not STOP_ORDERS.isdisjoint(os.read(wake, 64))
        cut = LIFELINE in ready and _is_cut()
        # A process that the parent forked without exec holds the socket open after the parent's
        # death: the parent's id tells the truth.
        if LIFELINE in watched and (ordered or cut or os.getppid() != parent):
            watched.remove(LIFELINE)
            kill_at_s = time.monotonic() + grace_s
            os.kill(pid, stop_signal)
        if time.monotonic() >= kill_at_s:
            kill_at_s = math.inf
            _kill_group(pid)


def _is_cut() -> bool:
    try:
        return not os.read(LIFELINE, 64)
    except ConnectionResetError:  # The parent went without having read the report.
        return True


def _kill_group(pid: int) -> None:
    # macOS answers "not permitted" where only zombies are left in the group.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
