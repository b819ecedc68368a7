"""Two issuers of the platform's own, for a cooperative that has not found independent ones yet."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from app.assembly.board import board_key_hex, load_board_key
from app.foundation.children import ChildFailedError, Command, Family
from app.issuer.folder import make_folder, read_folder, write_durably
from app.roads.port import Say
from app.settings import Settings

NAMES = ("First local issuer", "Second local issuer")
WARNING = (
    "two issuers of our own stamp vote keys, both run by the same hands: together they could vote "
    "in the name of members who never look; name independent ones in MEENT_ISSUERS"
)
READY_TIMEOUT_S = 30.0
_HOST = "127.0.0.1"
# What an issuer reads of our settings. No secret of the cooperative reaches it.
_ITS_SETTINGS = ("profile", "log_level", "clock_start", "clock_anchor_s", "clock_speed")


async def run_local_issuers(
    family: Family,
    settings: Settings,
    *,
    environment: dict[str, str],
    choose_port: Callable[[int | None], int],
    say: Say,
) -> tuple[tuple[str, str], ...]:
    """Two issuers answer as children of the family; returns the name and URL of each.

    Their folders, ``issuers/1`` and ``issuers/2`` in the home, pin the board's key. Each keeps its
    port from one start to the next if it can: ``choose_port`` takes the last one and returns it
    where it is free. Of ``environment``, which holds the settings, they get what they need.

    Raises:
        IssuerError, ChildFailedError: one line that says what to do.
    """
    say(WARNING)
    running = []
    for number, name in enumerate(NAMES, start=1):
        folder = settings.home / "issuers" / str(number)
        port = await asyncio.to_thread(_prepare, folder, settings.home, name, choose_port)
        child = f"issuer-{number}"
        await family.add(
            Command(
                name=child,
                argv=(
                    *(sys.executable, "-P", "-m", "app.issuer.serve", str(folder.resolve())),
                    *("--host", _HOST, "--port", str(port)),
                ),
                env=_its_own(environment, settings),
                log_path=settings.home / f"{child}.log",
            )
        )
        running.append((child, f"http://{_HOST}:{port}"))
    for child, url in running:
        await _ready(child, url)
    return tuple(running)


def _prepare(folder: Path, home: Path, name: str, choose_port: Callable[[int | None], int]) -> int:
    """The issuer's folder exists; returns the port it listens on."""
    if not (folder / "issuer.json").exists():
        make_folder(folder, name=name, cooperative_key=board_key_hex(load_board_key(home)))
    read_folder(folder)
    kept = folder / "port"
    last = int(kept.read_text()) if kept.exists() else None
    port = choose_port(last)
    if port != last:
        write_durably(kept, str(port).encode())
    return port


def _its_own(environment: dict[str, str], settings: Settings) -> dict[str, str]:
    own = {f"MEENT_{name.upper()}" for name in _ITS_SETTINGS}
    env = {
        name: value
        for name, value in environment.items()
        if name in own or not name.startswith("MEENT_")
    }
    if settings.issuer_passphrase is not None:
        env["MEENT_ISSUER_PASSPHRASE"] = settings.issuer_passphrase.get_secret_value()
    return env


async def _ready(name: str, url: str) -> None:
    try:
        async with asyncio.timeout(READY_TIMEOUT_S), httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    if (await client.get(f"{url}/livez", timeout=5)).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise ChildFailedError(f"{name} gives no answer within {READY_TIMEOUT_S:g} s") from None
