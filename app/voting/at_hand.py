"""What stands behind each `meent vote` command: the wallet, the questions, the plain lines."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help answers at once

import asyncio
import json
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from app.voting.client import Voter
    from app.voting.wallet import Wallet, WalletFile
    from governance.vote_key import VoteKey

_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Given:
    """What stands before the command's name."""

    wallet: Path | None
    server: str | None
    token: str | None
    passphrase_file: Path | None


@contextmanager
def opened_wallet(context: typer.Context) -> Iterator[tuple["WalletFile", "Wallet"]]:
    """The wallet that was asked for; nobody else has it meanwhile."""
    from app.voting.wallet import WalletFile

    given: Given = context.obj
    file = WalletFile(given.wallet or _own_wallet())
    with file.held():
        if given.passphrase_file is not None:
            file.set_passphrase(given.passphrase_file.read_text().rstrip("\n"))
        elif file.is_sealed:
            file.set_passphrase(ask("Passphrase", hide_input=True))
        yield file, file.load()


def run[T](
    context: typer.Context,
    work: Callable[["Voter"], Coroutine[Any, Any, T]],
    *,
    server_needed: bool = True,
) -> T:
    """Return what the work returns, with the wallet's voter.

    Refused (VotingError): no server was ever named, one that is reached in the open, and whatever
    the work refuses.
    """
    from app.voting.client import Voter
    from app.voting.errors import VotingError

    given: Given = context.obj
    with opened_wallet(context) as (file, wallet):
        wallet.server = given.server or wallet.server
        if wallet.server is None and server_needed:
            raise VotingError("Name the cooperative once: meent vote --server URL …")
        if wallet.server is not None and not _is_safe(wallet.server):
            raise VotingError(f"Others could listen on the way to {wallet.server}: use https://")
        voter = Voter(wallet, server=wallet.server or "", keep=file.keep, token=given.token)
        return asyncio.run(work(voter))


def _own_wallet() -> Path:
    from app.settings import default_home

    return default_home() / "wallet.json"


def _is_safe(server: str) -> bool:
    """Whether nobody on the way can read along: encrypted, or this very machine."""
    parts = urlsplit(server)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)


def ask_words() -> "VoteKey":
    """Return the key whose twelve words are typed in. Refused (VotingError): a slip."""
    from app.voting.errors import VotingError
    from governance.vote_key import vote_key_from_words

    try:
        return vote_key_from_words(ask("The twelve words").split())
    except ValueError as wrong:
        raise VotingError(f"These words hold no key: {wrong}.") from None


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if the person at the terminal says so; end with code 1 where not."""
    if not yes:
        with _at_terminal():
            agreed = typer.confirm(question, err=True)
        if not agreed:
            say("Nothing was done.")
            raise typer.Exit(1)


def ask(question: str, **how: Any) -> str:
    """Return what the person at the terminal answers."""
    with _at_terminal():
        return str(typer.prompt(question, err=True, **how)).strip()


@contextmanager
def _at_terminal() -> Iterator[None]:
    """A question may be broken off: Ctrl-C ends the command, and so does nobody being there."""
    # While a loop runs, asyncio would only note the first Ctrl-C, and the question would stay.
    # Nothing else runs in that loop meanwhile, so that the question holds it up does no harm.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except typer.Abort as abort:
        say("")
        say("Nothing was done.")
        raise typer.Exit(130 if isinstance(abort.__context__, KeyboardInterrupt) else 1) from None
    finally:
        signal.signal(signal.SIGINT, before)


def count_in_words(number: int) -> str:
    """Return a small number as people say it."""
    return {2: "two", 3: "three"}.get(number, str(number))


def say_time(time: datetime) -> str:
    """Return a moment for people, in UTC to the minute."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def show_line(line: str) -> None:
    """Print one line of data."""
    typer.echo(line)


def show_json(document: Any) -> None:
    """Print data for machines."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def say(line: str) -> None:
    """Tell people something; data goes to stdout instead."""
    typer.echo(line, err=True)
