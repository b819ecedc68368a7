"""`meent issuer`: make an issuer's folder, serve it, look into it."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help answers at once

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.issuer.queries import SealedVote

issuer = typer.Typer(
    help="Stamp vote keys for a cooperative, on a machine of your own.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Argument(help="The issuer's folder.")]


@issuer.command()
def init(
    folder: Folder,
    name: Annotated[str, typer.Option(help="Who you are, as members will read it.")],
    cooperative_key: Annotated[
        str, typer.Option(help="The board's public key, in hex: whose orders to follow.")
    ],
    key_bits: Annotated[int, typer.Option(help="2048 or 3072: more is slower.")] = 2048,
) -> None:
    """Make an issuer's folder. Compare the cooperative's key by telephone before."""
    from app.issuer.folder import make_folder

    made = make_folder(folder, name=name, cooperative_key=cooperative_key, key_bits=key_bits)
    typer.echo(f"{made.path} is the issuer {made.name}; next: `meent issuer serve`", err=True)


@issuer.command()
def serve(
    folder: Folder,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8090,
) -> None:
    """Stamp until Ctrl-C. Put a proxy with a certificate before it; keep no log of addresses."""
    from app.issuer.folder import read_folder
    from app.issuer.serve import serve_issuer

    read_folder(folder)
    typer.echo(f"the issuer in {folder} opens at http://{host}:{port}; Ctrl-C closes it", err=True)
    if not serve_issuer(folder, host=host, port=port):
        raise typer.Exit(1)


@issuer.command()
def show(
    folder: Folder, *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Show whose issuer it is, and of each vote how many of the roll are stamped."""
    from app.issuer.folder import read_folder
    from app.issuer.queries import Book

    made = read_folder(folder)
    with closing(Book(made.book_path)) as book:
        votes = [_shown(vote, book.count_stamps(vote.election)) for vote in book.list_votes()]
    if as_json:
        key = made.cooperative_key.hex()
        document = {"name": made.name, "cooperative_key": key, "votes": votes}
        typer.echo(json.dumps(document, indent=2))
        return
    typer.echo(f"{made.name}, for the cooperative with the key {made.cooperative_key.hex()}")
    for vote in votes:
        stamped = ", ".join(f"{h['name']} {h['stamped']} of {h['roll']}" for h in vote["houses"])
        keys = "keys destroyed" if vote["keys_destroyed"] else "keys kept"
        typer.echo(f"{vote['election']}: {vote['question']} stamped: {stamped}; {keys}")


def _shown(vote: "SealedVote", counts: list[tuple[int, int, int]]) -> dict[str, Any]:
    of_house = {house_no: (roll, stamped) for house_no, roll, stamped in counts}
    houses = []
    for house_no, house in enumerate(vote.document["houses"]):
        roll, stamped = of_house.get(house_no, (0, 0))
        houses.append({"name": house["name"], "roll": roll, "stamped": stamped})
    return {
        "election": vote.election,
        "question": vote.document["question"],
        "manifest_hash": vote.manifest_hash.hex(),
        "closes_at": vote.document["closes_at"],
        "houses": houses,
        "keys_destroyed": vote.is_final,
    }
