"""`meent vote`: a member votes, checks and recounts from their own device, in plain sentences.

Exit codes: 0 done; 1 refused, or something is wrong; 2 a mistyped command; 130 Ctrl-C.
"""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help answers at once

import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.voting.at_hand import (
    Given,
    ask,
    ask_words,
    confirm,
    count_in_words,
    opened_wallet,
    run,
    say,
    say_time,
    show_json,
    show_line,
)

if TYPE_CHECKING:
    from app.voting.client import Voter
    from app.voting.terms import Terms

vote = typer.Typer(help="Vote in secret, and check the count yourself.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before acting.")]
Election = Annotated[str, typer.Argument(help="The vote's id, as `meent vote list` shows it.")]
Choice = Annotated[
    str, typer.Argument(metavar="VALUE", help="Such as 12.5%, yes, or a,b,no_change.")
]
Within = Annotated[
    float,
    typer.Option(min=0, help="Send at a random moment of so many minutes.", metavar="MINUTES"),
]


@vote.callback()
def before(
    context: typer.Context,
    wallet: Annotated[
        Path | None, typer.Option(help="Where keys and receipts lie.", show_default="your own")
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="The cooperative's address.", show_default="the last one")
    ] = None,
    token: Annotated[
        Path | None,
        typer.Option(
            help="A file with an access token, instead of signing in.", exists=True, dir_okay=False
        ),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            help="A file with the wallet's passphrase, for scripts.", exists=True, dir_okay=False
        ),
    ] = None,
) -> None:
    """Vote in secret, and check the count yourself."""
    read = None if token is None else token.read_text().strip()
    context.obj = Given(wallet, server, read, passphrase_file)


@vote.command()
def sign_in(
    context: typer.Context,
    phone: Annotated[str, typer.Option(help="Your number, such as +4232345678.")],
) -> None:
    """Sign in with a code that comes to your telephone."""

    async def work(voter: "Voter") -> None:
        challenge = await voter.cooperative.request_code(phone)
        code = ask("The six digits you got")
        await voter.cooperative.sign_in(challenge_id=challenge, code=code)

    run(context, work)
    say("You are signed in.")


@vote.command()
def key(
    context: typer.Context,
    *,
    words: Annotated[
        bool, typer.Option("--words", help="Take a key from its twelve words.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make the key by which issuers know you, or take it back from its twelve words."""

    async def work(voter: "Voter") -> str:
        restored = ask_words() if words else None
        known = voter.wallet.member_key
        if restored is not None and known not in (None, restored.entropy.hex()):
            confirm("Another key is in this wallet and would be lost. Go on?", yes=yes)
        if restored is None and known is None:
            confirm("Make a new key? An older one of yours then ends.", yes=yes)
        return (await voter.register_key(restored)).public.hex()

    public = run(context, work)
    if as_json:
        show_json({"public_key": public})
    say("Your key is here, and the cooperative knows its public half. Write down its twelve words")
    say("and keep them where nobody looks: meent vote words")


@vote.command("list")
def list_votes(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the votes."""

    async def work(voter: "Voter") -> list[dict[str, Any]]:
        return await voter.list_elections()

    elections = run(context, work)
    if as_json:
        show_json({"elections": elections})
        return
    for election in elections:
        until = f"until {election['closes_at']}"
        show_line(f"{election['id']}  {election['stage']}, {until}  {election['question']}")
    if not elections:
        say("There is no vote.")


@vote.command()
def show(context: typer.Context, election: Election, *, as_json: AsJson = False) -> None:
    """Show what is voted on, by which rule, and who stamps; all of it checked."""

    async def work(voter: "Voter") -> tuple["Terms", dict[str, Any]]:
        return await voter.fetch_election(election), await voter.standing(election)

    terms, standing = run(context, work)
    if as_json:
        show_json(
            {"manifest_hash": terms.manifest.hash().hex(), "manifest": terms.manifest.document()}
            | {"stage": terms.stage, "me": standing}
        )
        return
    from app.voting.plain_words import say_choices

    manifest = terms.manifest
    show_line(manifest.question)
    show_line(manifest.explanation)
    show_line(say_choices(manifest))
    if "text" in manifest.parameters:
        show_line(f"The text voted on has the SHA-256 {manifest.parameters['text']}.")
    for option, fingerprint in manifest.parameters.get("texts", {}).items():
        show_line(f"The text of {option} has the SHA-256 {fingerprint}.")
    show_line(f"Voting is from {say_time(manifest.opens_at)} to {say_time(manifest.closes_at)}.")
    for house in manifest.houses:
        show_line(f"On the roll of {house.name}: {house.roll_size}.")
    for issuer in terms.issuers:
        show_line(f"Stamps: {issuer.name}, {issuer.url}, key {issuer.seal_key[:16]}")
    show_line(f"These terms have the fingerprint {manifest.hash().hex()}.")
    show_line("You are on the roll." if standing["on_roll"] else "You are not on the roll.")


@vote.command("cast")
def cast_ballot(
    context: typer.Context,
    election: Election,
    value: Choice,
    *,
    at_random_within: Within = 0,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Vote: get the stamps, make the ballot, send it without your name."""
    _vote(context, election, value, _Manner(False, at_random_within, yes, as_json))


@vote.command()
def change(
    context: typer.Context,
    election: Election,
    value: Choice,
    *,
    at_random_within: Within = 0,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change your vote; the newest one counts."""
    _vote(context, election, value, _Manner(True, at_random_within, yes, as_json))


@dataclass(frozen=True, slots=True)
class _Manner:
    changes: bool
    within_minutes: float
    yes: bool
    as_json: bool


def _vote(context: typer.Context, election: str, text: str, manner: _Manner) -> None:
    from app.voting.errors import VotingError
    from app.voting.plain_words import read_value, say_value

    async def work(voter: "Voter") -> tuple[dict[str, Any], str]:
        terms = await voter.fetch_election(election)
        value, known = read_value(terms.manifest, text), voter.wallet.votes.get(election)
        has_voted = known is not None and any(ballot.receipt for ballot in known.ballots)
        if has_voted and not manner.changes:
            raise VotingError("You have voted here already. To change it: meent vote change")
        if manner.changes and not has_voted:
            raise VotingError("You have not voted here yet: meent vote cast")
        said = say_value(terms.manifest, value)
        say(terms.manifest.question)
        say(terms.manifest.explanation)
        say(f"Your vote: {said}")
        confirm("Send it?", yes=manner.yes)
        stamped = await voter.get_credentials(election)
        say(f"Your {count_in_words(len(stamped.vote.credentials))} stamps are here.")
        if manner.within_minutes:
            say("The ballot goes at a random moment. Leave this running; Ctrl-C keeps it unsent.")
        within = timedelta(minutes=manner.within_minutes)
        return await voter.cast(election, value, at_random_within=within), said

    receipt, said = run(context, work)
    if manner.as_json:
        show_json({"receipt": receipt, "value": said})
    say(f"Your ballot is promised to be in the box by {receipt['due_at']}. Look then:")
    say(f"meent vote check {election}")


@vote.command("check")
def check_vote(context: typer.Context, election: Election, *, as_json: AsJson = False) -> None:
    """Check terms, stamps, box and your own ballot; exit 1 where something is wrong."""
    from app.voting.checking import Finding, Verdict, check

    async def work(voter: "Voter") -> list[Finding]:
        return await check(voter, election)

    findings = run(context, work)
    if as_json:
        show_json({"findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            show_line(f"{_MARKS[finding.verdict]} {finding.sentence}")
    if any(finding.verdict is Verdict.WRONG for finding in findings):
        raise typer.Exit(1)


@vote.command("object")
def object_to_count(
    context: typer.Context, election: Election, *, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Stop a count that left out your ballot: your receipt proves it, without your name."""
    from app.voting.checking import object_to_count

    async def work(voter: "Voter") -> list[str]:
        say("Your receipts go to the cooperative. The one whose ballot is missing is published;")
        say("it does not say who you are, nor how you voted.")
        confirm("Send them?", yes=yes)
        return await object_to_count(voter, election)

    missing = run(context, work)
    if as_json:
        show_json({"missing": missing})
    say("The vote is void: the box that was counted lacks your ballot, and your receipt shows it.")


_MARKS = {"good": "ok     ", "waits": "not yet", "wrong": "WRONG  "}


@vote.command("recount")
def recount_vote(
    context: typer.Context,
    election: Election,
    *,
    save: Annotated[Path | None, typer.Option(help="Keep the package here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count all ballots yourself; exit 1 where the count or a check is wrong."""
    from app.voting.checking import fetch_package, recount_package
    from governance.verify import Recount, report

    async def work(voter: "Voter") -> tuple[dict[str, Any], Recount]:
        package = await fetch_package(voter, election)
        return package, await asyncio.to_thread(recount_package, voter, election, package)

    package, found = run(context, work)
    if save is not None:
        save.write_text(json.dumps(package, ensure_ascii=False))
    if as_json:
        show_json(asdict(found))
    else:
        typer.echo(report(found), nl=False)
    if found.faults:
        raise typer.Exit(1)


@vote.command("words")
def show_words(
    context: typer.Context,
    election: Annotated[str | None, typer.Argument(help="Of this vote's key.")] = None,
    *,
    yes: Yes = False,
) -> None:
    """Show the twelve words of your key, or of one vote's key."""
    from app.voting.errors import VotingError

    async def work(voter: "Voter") -> str:
        if election is None:
            kept = voter.wallet.key
        elif election in voter.wallet.votes:
            kept = voter.wallet.votes[election].key
        else:
            raise VotingError("There is no key for this vote here yet.")
        warning = "Whoever reads these words can vote as you"
        more = "" if election is None else ", and see how you voted"
        confirm(f"{warning}{more}. Show them?", yes=yes)
        return " ".join(kept.words())

    show_line(run(context, work, server_needed=False))


@vote.command()
def restore(context: typer.Context, election: Election) -> None:
    """Take back a vote from its twelve words: the same stamps come again."""

    async def work(voter: "Voter") -> int:
        restored = ask_words()
        return len((await voter.get_credentials(election, key=restored)).vote.credentials)

    say(f"Your {count_in_words(run(context, work))} stamps are here.")


@vote.command("passphrase")
def set_passphrase(context: typer.Context) -> None:
    """Close the wallet by a passphrase; an empty one opens it for good."""
    with opened_wallet(context) as (file, wallet):
        chosen = ask(
            "New passphrase",
            hide_input=True,
            confirmation_prompt=True,
            default="",
            show_default=False,
        )
        file.set_passphrase(chosen or None)
        file.keep(wallet)
    say("The wallet is closed by the passphrase." if chosen else "The wallet is open.")


@vote.command()
def module_hash(
    *,
    save: Annotated[Path | None, typer.Option(help="Keep the module here.")] = None,
) -> None:
    """Print the SHA-256 of the JavaScript module by which web pages vote."""
    from app.voting.module import module_hash, module_text

    if save is not None:
        save.write_text(module_text())
    show_line(module_hash())
    say("A page that the cooperative serves could be changed by it. It uses this module unchanged")
    say("only if its /ballot.js has this SHA-256; whoever fears more votes by this command.")
