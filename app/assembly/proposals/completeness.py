"""Whether a draft has all that others need to support it and to vote on it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.assembly.proposals.proposal import Proposal
from app.assembly.proposals.rules import money_names
from governance.explanation import MOST_WORDS, Fault, faults, words
from governance.policy import NUMBER_POLICIES
from governance.proposal import Kind
from governance.ranked_vote import NO_CHANGE


@dataclass(frozen=True, slots=True)
class Missing:
    """What a draft lacks: a name for programs, a sentence for people."""

    code: str
    detail: str


def missing_from(proposal: Proposal, *, currency: str) -> tuple[Missing, ...]:
    """Return what a draft lacks before it can be submitted; nothing if it is complete.

    Amounts in its explanation are of `currency`, by its ISO 4217 code.
    """
    return (
        *(
            Missing(f"{name}_empty", f"Write the {name}.")
            for name in ("title", "question")
            if not getattr(proposal, name).strip()
        ),
        *_in_explanation(proposal.explanation, currency=currency),
        *_IN_KIND[proposal.kind](proposal),
    )


def _in_explanation(text: str, *, currency: str) -> Iterator[Missing]:
    details = {
        Fault.EMPTY: "Explain the proposal in plain words.",
        Fault.TOO_LONG: f"It has {words(text)} words; {MOST_WORDS} are allowed.",
        Fault.NO_EXAMPLE_IN_MONEY: f"Give an example in money, as in {currency} 25.50.",
    }
    for fault in faults(text, money=money_names(currency)):
        yield Missing(f"explanation_{fault}", details[fault])


def _in_number(proposal: Proposal) -> Iterator[Missing]:
    if proposal.key not in NUMBER_POLICIES:
        yield Missing("key_unknown", "Name a policy that members vote on.")


def _in_budget(proposal: Proposal) -> Iterator[Missing]:
    return _in_names(proposal.parameters.get("pots", ()), name="pots")


def _in_text(proposal: Proposal) -> Iterator[Missing]:
    if not (proposal.text or "").strip():
        yield Missing("text_empty", "Write the text.")


def _in_choice(proposal: Proposal) -> Iterator[Missing]:
    return _in_names(proposal.options, name="options")


def _in_names(given: Iterable[str], *, name: str) -> Iterator[Missing]:
    names = tuple(given)
    if len(names) < 2:
        yield Missing(f"{name}_too_few", f"Name two {name} or more.")
    if len({each.casefold() for each in names}) != len(names):
        yield Missing(f"{name}_not_different", f"No two {name} may have one name.")
    if NO_CHANGE in {each.casefold().replace(" ", "_") for each in names}:
        yield Missing(f"{name}_reserved", f"{NO_CHANGE} is always there; leave it out.")


_IN_KIND = {
    Kind.NUMBER: _in_number,
    Kind.BUDGET: _in_budget,
    Kind.TEXT: _in_text,
    Kind.CHOICE: _in_choice,
}
