"""`meent sisters`: work out what many cooperatives pay each other in one round."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help answers at once

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.terminal import print_json, print_table, say

if TYPE_CHECKING:
    from governance.clearing import Position

sisters = typer.Typer(help="What sister cooperatives owe each other.", no_args_is_help=True)


@sisters.callback()
def _group() -> None:
    """What sister cooperatives owe each other."""


@sisters.command()
def net(
    files: Annotated[
        list[Path],
        typer.Argument(
            exists=True, dir_okay=False, help="Answers of GET /v1/peers/{peer_id}/statements."
        ),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make many debts few: the payments after which all are quits.

    Counted is each statement that both signed and nobody settled, once, whoever's file it is in.
    """
    from governance.clearing import net_positions, settle

    nets = net_positions(_positions(files))
    payments = settle(nets)
    if as_json:
        print_json({"nets_minor": nets, "payments": [asdict(payment) for payment in payments]})
        return
    if not payments:
        say("nobody owes anything")
        return
    print_table(
        ("pays", "gets", "", "minor units"),
        [(one.payer, one.payee, one.currency, f"{one.amount_minor:,}") for one in payments],
    )
    say("then each settles every statement counted here: together that is what it paid or got")


def _positions(files: list[Path]) -> "list[Position]":
    from app.reciprocity.netting import open_positions

    statements: list[Any] = []
    for file in files:
        try:
            answer = json.loads(file.read_bytes())
        except ValueError as wrong:
            raise typer.BadParameter(f"{file} is no JSON") from wrong
        statements += (
            answer["items"] if isinstance(answer, dict) and "items" in answer else [answer]
        )
    try:
        return open_positions(statements)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from wrong
