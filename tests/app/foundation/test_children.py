"""Promises about child processes, each kept against the real operating system."""

import asyncio
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.foundation.children import (
    Account,
    ChildFailedError,
    Command,
    Family,
    alive,
    run,
    start,
)

SLEEPER = Command(name="sleeper", argv=("sleep", "60"))
CHECKOUT = Path(__file__).parents[3]

# A parent that starts children and then only waits; the tests end it in all the ways there are.
PARENT = """
import asyncio, os, sys, time
from pathlib import Path
from app.foundation.children import Command, Family

async def main(notes):
    async with Family() as family:
        for name in ("first", "second"):
            trap = f"trap 'echo {name} >> {notes}; exit 0' TERM"
            up = Path(f"{notes}.{name}")
            script = f"{trap}; touch {up}; while :; do sleep 0.02; done"
            child = await family.add(Command(name=name, argv=("sh", "-c", script), grace_s=5))
            while not up.exists():  # Before that it would not hear that it is to stop.
                await asyncio.sleep(0.01)
            print(child.pid, flush=True)
        if len(sys.argv) > 2 and os.fork() == 0:
            time.sleep(30)  # A copy of the parent that keeps every descriptor open.
            os._exit(0)
        print("ready", flush=True)
        await asyncio.sleep(60)

try:
    asyncio.run(main(Path(sys.argv[1])))
except KeyboardInterrupt:
    sys.exit(130)
"""


def shell(script: str, **more: object) -> Command:
    return Command(name="shell", argv=("sh", "-c", script), **more)


async def becomes(condition: Callable[[], bool], *, within_s: float) -> bool:
    end_s = time.monotonic() + within_s
    while not condition() and time.monotonic() < end_s:  # noqa: ASYNC110 -- nothing tells us
        await asyncio.sleep(0.01)
    return condition()


async def lives_with(
    family: Family,
    *commands: Command,
    restart: bool = True,
    then: Exception | None = None,
) -> None:
    async with family:
        for command in commands:
            await family.add(command, restart=restart)
        if then is not None:
            raise then
        await asyncio.sleep(30)


def parent_with_two_children(notes: Path, *more: str) -> tuple[subprocess.Popen[str], list[int]]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(notes), *more],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pids = [int(parent.stdout.readline()) for _ in range(2)]
    assert parent.stdout.readline() == "ready\n"
    assert all(alive(pid) for pid in pids)
    return parent, pids


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -TERM $$", 128 + 15)])
async def test_a_childs_exit_code_reaches_its_parent(script: str, code: int) -> None:
    child = await start(shell(script))
    assert await child.wait() == code
    assert not child.running


def test_a_set_up_program_is_run_to_its_end_and_its_output_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert run(shell("echo out; echo err >&2; exit 4", log_path=log), timeout_s=10) == 4
    assert log.read_text() == "out\nerr\n"


def test_a_set_up_program_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    deaf = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 0.02; done"
    with pytest.raises(TimeoutError, match=r"shell took longer than 1 s"):
        run(shell(deaf, grace_s=0.2), timeout_s=1)
    assert not alive(int((tmp_path / "pid").read_text()))


async def test_a_stopped_child_gets_its_own_stop_signal(tmp_path: Path) -> None:
    script = f"trap 'exit 3' INT; touch {tmp_path}/up; while :; do sleep 0.02; done"
    child = await start(shell(script, stop_signal=signal.SIGINT))
    assert await becomes((tmp_path / "up").exists, within_s=5)
    assert child.running
    assert await child.stop() == 3
    assert await child.stop() == 3


async def test_a_child_deaf_to_its_stop_signal_is_killed_after_the_grace_time(
    tmp_path: Path,
) -> None:
    script = f"trap '' TERM; touch {tmp_path}/up; while :; do sleep 0.02; done"
    child = await start(shell(script, grace_s=0.3))
    assert await becomes((tmp_path / "up").exists, within_s=5)
    asked_s = time.monotonic()
    assert await child.stop() == 128 + signal.SIGKILL
    assert 0.3 <= time.monotonic() - asked_s < 2


async def test_what_a_killed_child_had_started_ends_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = await start(shell(f"sleep 60 & echo $! > {note}; wait"))
    assert await becomes(lambda: note.exists() and note.read_text() != "", within_s=5)
    grandchild = int(note.read_text())
    os.kill(child.pid, signal.SIGKILL)
    assert await child.wait() == 128 + signal.SIGKILL
    assert await becomes(lambda: not alive(grandchild), within_s=2)


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ChildFailedError, match="osrm: there is no program /no/such"):
        await start(Command(name="osrm", argv=("/no/such",)))


async def test_a_program_that_cannot_be_run_is_named_with_the_reason(tmp_path: Path) -> None:
    program = tmp_path / "osrm"
    program.write_bytes(b"\x7fELF but for another machine")
    program.chmod(0o755)
    with pytest.raises(ChildFailedError, match=r"osrm: cannot run .*/osrm: Exec format error"):
        await start(Command(name="osrm", argv=(str(program),)))


def test_a_start_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    async def cancelled_after(wait_s: float) -> None:
        async with asyncio.timeout(wait_s):
            child = await start(shell(f"echo $PPID $$ >> {pids}; exec sleep 60"))
            try:
                await asyncio.sleep(60)
            finally:
                await child.stop()

    pids.touch()
    for wait_s in (0.001, 0.01, 0.02, 0.03):
        with pytest.raises(TimeoutError):
            asyncio.run(cancelled_after(wait_s))
    time.sleep(0.2)
    assert not any(alive(int(pid)) for pid in pids.read_text().split())


async def test_root_can_lend_a_child_another_account(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    as_root = os.geteuid() == 0
    account = Account(nobody.pw_uid, nobody.pw_gid) if as_root else None
    log = tmp_path / "log"
    child = await start(shell("id -u; id -G", user=account, log_path=log, cwd=Path("/")))
    assert await child.wait() == 0
    uid, groups = log.read_text().splitlines()
    assert int(uid) == (nobody.pw_uid if as_root else os.getuid())
    if as_root:
        assert groups == str(nobody.pw_gid)


async def test_kill_9_of_the_parent_ends_its_children(tmp_path: Path) -> None:
    parent, pids = parent_with_two_children(tmp_path / "notes")
    with parent:
        parent.kill()
        assert await becomes(lambda: not any(map(alive, pids)), within_s=1.5)
    assert sorted((tmp_path / "notes").read_text().split()) == ["first", "second"]


async def test_a_forked_copy_of_the_killed_parent_does_not_keep_its_children(
    tmp_path: Path,
) -> None:
    parent, pids = parent_with_two_children(tmp_path / "notes", "fork")
    with parent:
        try:
            parent.kill()
            assert await becomes(lambda: not any(map(alive, pids)), within_s=3)
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


async def test_ctrl_c_reaches_the_parent_which_stops_the_last_child_first(tmp_path: Path) -> None:
    parent, pids = parent_with_two_children(tmp_path / "notes")
    with parent:
        os.killpg(parent.pid, signal.SIGINT)
        assert await asyncio.to_thread(parent.wait, 5) == 130
    assert not any(map(alive, pids))
    assert (tmp_path / "notes").read_text() == "second\nfirst\n"


@pytest.mark.parametrize("manners", ["trap '' TERM", "trap 'exit 0' TERM"])
async def test_kill_9_of_the_leash_ends_its_child(tmp_path: Path, manners: str) -> None:
    script = f"{manners}; touch {tmp_path}/up; while :; do sleep 0.02; done"
    child = await start(shell(script, grace_s=0.3))
    assert await becomes((tmp_path / "up").exists, within_s=5)
    os.kill(child.leash_pid, signal.SIGKILL)
    assert await child.wait() == 128 + signal.SIGKILL
    assert not alive(child.pid)


async def test_kill_9_of_parent_and_leash_ends_the_child(tmp_path: Path) -> None:
    if sys.platform != "linux":
        return  # Only Linux tells a process that its parent died.
    parent, pids = parent_with_two_children(tmp_path / "notes")
    with parent:
        for pid in (*map(parent_of, pids), parent.pid):
            os.kill(pid, signal.SIGKILL)
        assert await becomes(lambda: not any(map(alive, pids)), within_s=1.5)


async def test_a_killed_child_is_started_anew_and_the_family_told() -> None:
    told: list[str] = []
    async with Family(on_restart=told.append, give_up_after=2) as family:
        first = await family.add(SLEEPER)
        # More often than a child may fail, as being killed is no failure of its own.
        for count in (1, 2, 3):
            os.kill(family.child("sleeper").pid, signal.SIGKILL)
            assert await becomes(lambda count=count: len(told) == count, within_s=3)
        last = family.child("sleeper")
        assert last.running
        assert last.pid != first.pid
    assert told == ["sleeper"] * 3
    assert not alive(last.pid)


async def test_a_child_that_keeps_failing_ends_the_family_with_its_last_words(
    tmp_path: Path,
) -> None:
    failing = shell("echo tick; echo port is taken; exit 5", log_path=tmp_path / "log")
    family = Family(give_up_after=3)
    with pytest.raises(ChildFailedError, match=r"ended 3 times in a row with code 5; .*taken$"):
        await lives_with(family, SLEEPER, failing)
    assert (tmp_path / "log").read_text().count("tick") == 3
    assert not alive(family.child("sleeper").pid)


async def test_a_child_that_is_not_to_be_restarted_may_end_well_only() -> None:
    async with Family() as family:
        done = await family.add(shell("exit 0"), restart=False)
        assert await done.wait() == 0
    with pytest.raises(ChildFailedError, match=r"shell ended with code 1$"):
        await lives_with(Family(), shell("exit 1"), restart=False)


async def test_a_familys_block_leaves_with_its_own_error_and_no_child() -> None:
    family = Family()
    with pytest.raises(LookupError, match="mine"):
        await lives_with(family, SLEEPER, then=LookupError("mine"))
    assert not alive(family.child("sleeper").pid)


async def test_a_second_cancellation_does_not_wait_but_still_ends_the_child(
    tmp_path: Path,
) -> None:
    script = f"trap '' TERM; touch {tmp_path}/up; while :; do sleep 0.02; done"
    family = Family()
    life = asyncio.create_task(lives_with(family, shell(script, grace_s=0.5)))
    assert await becomes((tmp_path / "up").exists, within_s=5)
    life.cancel()
    await asyncio.sleep(0.1)
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    child = family.child("shell")
    assert child.running
    assert await child.wait() == 128 + signal.SIGKILL


def test_the_module_needs_nothing_else_of_the_program() -> None:
    program = "import sys, app.foundation.children; print(*sys.modules)"
    listing = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    ours = {name for name in listing.stdout.split() if name.split(".")[0] == "app"}
    assert ours == {"app", "app.foundation", "app.foundation.children"}
