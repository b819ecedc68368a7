"""Says a close step by step in plain words: each line with its amount, its rule and its source."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from app.surplus.gather import Gathered
from governance.legal_form import LegalForm

_BOOKS = "the ledger"
_CARRIED = "losses are borne before anything is divided"
# What a pot is for; one that members named otherwise waits with the investments.
POTS = {
    "reserve": "the reserve that a vote may divide again",
    "dividend": "refunds to members",
    "education": "the education fund",
    "solidarity": "the solidarity fund",
    "investment": "investments",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a close: what it is, how much, by which rule, from where; sums only.

    `is_checked` False means that a figure of the law behind it was not looked up by anybody.
    """

    key: str
    words: str
    amount_minor: int
    rule: str
    source: str
    is_checked: bool = True


def steps(gathered: Gathered) -> list[dict[str, Any]]:
    """Return every step of a close as a document: no single member's amount is in it."""
    shared = _losses if gathered.closed.net_minor < 0 else _shares
    return [asdict(step) for step in (*_result(gathered), *shared(gathered))]


def doubts(form: LegalForm) -> list[str]:
    """Return in plain words what of a form nobody looked up, and what it asks that is not done."""
    return [
        *(f"{form.key}: {name} was looked up by nobody" for name in form.unchecked),
        *(f"{form.key}: not built: {gap}" for gap in form.not_built),
    ]


def _result(gathered: Gathered) -> Iterator[Step]:
    books, closed = gathered.books, gathered.closed
    yield Step(
        "member_commission",
        "Commission on rides of drivers who were members at the time",
        gathered.member_commission_minor,
        "by the register when the ride ended",
        _BOOKS,
    )
    yield Step(
        "other_commission",
        "Commission on all other rides",
        books.other_commission_minor,
        "by the register when the ride ended",
        _BOOKS,
    )
    yield Step("other_income", "Other income", books.other_income_minor, "as booked", _BOOKS)
    yield Step("costs", "Costs", -books.costs_minor, "as booked", _BOOKS)
    yield Step("result", "What the period made", closed.result_minor, "the sum", _BOOKS)
    if books.carried_loss_minor:
        yield Step(
            "carried", "Losses of earlier periods", -books.carried_loss_minor, _CARRIED, _BOOKS
        )
        yield Step("net", "What is left of it", closed.net_minor, "the sum", _BOOKS)


def _losses(gathered: Gathered) -> Iterator[Step]:
    closed = gathered.closed
    bears = gathered.statutes.reserve_bears_losses
    if bears:
        yield Step(
            "absorbed",
            "Taken from the indivisible reserve",
            closed.absorbed_minor,
            "losses = reserve: as far as it reaches",
            _statutes(gathered),
        )
    yield Step(
        "carried_forward",
        "Carried forward, to be borne by the next surplus",
        closed.carried_minor,
        "losses = reserve: the rest" if bears else "losses = carried",
        _statutes(gathered),
    )


def _shares(gathered: Gathered) -> Iterator[Step]:
    closed, form = gathered.closed, gathered.rules.form
    division, patronage = closed.division, gathered.rules.patronage
    yield Step(
        "indivisible",
        "What others' rides and other income made: to the indivisible reserve",
        division.indivisible_minor,
        "in proportion to commission; never refunded",
        form.reserve_of_others_bp.source,
        form.reserve_of_others_bp.is_checked,
    )
    yield Step(
        "reserve",
        "Of what members' rides made: to the indivisible reserve",
        division.reserve_minor,
        _percent(patronage.reserve_weight, least_bp=form.reserve_bp.value),
        f"{_statutes(gathered)}; {form.reserve_bp.source}",
        form.reserve_bp.is_checked,
    )
    yield Step(
        "education",
        "Of what members' rides made: to the education fund",
        division.education_minor,
        _percent(patronage.education_weight, least_bp=form.education_bp.value),
        f"{_statutes(gathered)}; {form.education_bp.source}",
        form.education_bp.is_checked,
    )
    for pot, amount_minor in division.pots_minor.items():
        if not amount_minor and pot != patronage.refund_pot:
            continue
        is_refund = pot == patronage.refund_pot
        least = f", {form.refund_bp.value / 100:g} % at least" if form.refund_bp.value else ""
        yield Step(
            f"pot_{pot}",
            f"Of the rest: to {POTS.get(pot, f'“{pot}”, kept with the investments')}",
            amount_minor,
            f"{patronage.pots[pot]} of the rest{least if is_refund else ''}",
            "the vote on pots in force when the period ended"
            if gathered.is_voted
            else "no vote on pots yet: all that is divisible is refunded",
            form.refund_bp.is_checked or not is_refund,
        )
    yield from _refunds(gathered)


def _refunds(gathered: Gathered) -> Iterator[Step]:
    closed, form = gathered.closed, gathered.rules.form
    by_commission = gathered.rules.patronage.commission_part
    mix = f"{by_commission} by commission paid, {1 - by_commission} by hours engaged"
    cash_bp = gathered.rules.cash_paid_bp
    yield Step(
        "cash",
        f"Of the refunds to {len(closed.refunds)} members: in money",
        closed.cash_minor,
        f"{cash_bp / 100:g} % of each, rounded up, {form.cash_bp.value / 100:g} % at least",
        f"{_statutes(gathered)}; {form.cash_bp.source}",
        form.cash_bp.is_checked,
    )
    yield Step(
        "capital",
        "Of the refunds: credited as members' capital",
        closed.capital_minor,
        f"the rest; each refund {mix}",
        f"{_statutes(gathered)}; {form.operations_only.source}",
        form.operations_only.is_checked,
    )
    if closed.undivided_minor:
        yield Step(
            "undivided",
            "Refunds to which nobody has a claim: to the reserve that a vote may divide again",
            closed.undivided_minor,
            f"nobody has anything to weigh: {mix}",
            _statutes(gathered),
        )


def _percent(share_bp: int, *, least_bp: int) -> str:
    least = f", {least_bp / 100:g} % at least" if least_bp else ""
    return f"{share_bp / 100:g} %{least}"


def _statutes(gathered: Gathered) -> str:
    return f"the statutes in force on {gathered.statutes_at.date()}"
