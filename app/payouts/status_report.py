"""What the bank says became of payments: pain.002.001.x read, and applied to a batch's payouts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from uuid import UUID
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from app.payouts.rules import STEPS, Outcome, PayoutState, payout_of

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_PAYMENTS: Final = 10_000
REASON_FORM: Final = "[A-Z0-9]{1,4}"
_SPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.002.001."

# ISO 20022 ExternalPaymentTransactionStatus1Code; any other one says that it is still under way.
OUTCOMES: Final = MappingProxyType(
    {
        "ACSC": Outcome.SETTLED,
        "ACCC": Outcome.SETTLED,
        "RJCT": Outcome.RETURNED,
        "CANC": Outcome.RETURNED,
    }
)
_TARGETS: Final = MappingProxyType(
    {Outcome.SETTLED: PayoutState.SETTLED, Outcome.RETURNED: PayoutState.RETURNED}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a payment, and the bank's code for why."""

    outcome: Outcome
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """The verdict on one payment, by the name that we gave it."""

    end_to_end_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What a bank says of a file: of the payments it names, and of all others if it says so."""

    message_id: str | None
    each: tuple[PaymentStatus, ...]
    everyone_else: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout of the batch that a report is about."""

    id: UUID
    state: PayoutState


@dataclass(frozen=True, slots=True)
class Change:
    """A payout that is settled or returned by a report."""

    payout_id: UUID
    before: PayoutState
    after: PayoutState
    reason_code: str | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a report changes; and what it does not, and why not.

    Attributes:
        unchanged: Payouts that are already what the report says.
        pending: Payouts of which it says that they are under way.
        contradicting: Payouts that have ended otherwise. A person looks at these.
        unknown: Names that are of no payout released with this batch.
    """

    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    pending: int = 0
    contradicting: tuple[UUID, ...] = ()
    unknown: tuple[str, ...] = field(default=())


def read_pain002(text: str) -> StatusReport:
    """Return what a status file says; free texts in it are not looked at.

    What it says of the whole file or of a whole block holds for the payments it does not name: a
    file of ours has one block. Of a payment named twice the last word counts. Refused
    (ValueError): what is no pain.002.001.x, has a DTD or entities, is too large, or names more
    payments than a file of ours could have.
    """
    if len(text) > MOST_BYTES:
        raise ValueError("the file is too large")
    try:
        root: Element = fromstring(text.encode(), forbid_dtd=True)
    except (ParseError, DefusedXmlException):
        raise ValueError("the file is no well-formed XML without a DTD") from None
    space = root.tag.removeprefix("{").partition("}")[0]
    report = root.find(f"{{{space}}}CstmrPmtStsRpt")
    if not space.startswith(_SPACE) or report is None:
        raise ValueError("the file is no payment status report (pain.002.001)")

    named = {
        end_to_end: PaymentStatus(end_to_end, verdict)
        for node in report.iterfind(".//{*}TxInfAndSts")
        if (end_to_end := _text(node, "OrgnlEndToEndId")) is not None
        and (verdict := _verdict(node, "TxSts")) is not None
    }
    if len(named) > MOST_PAYMENTS:
        raise ValueError("the file names more payments than we ever send")
    whole = _verdict(report, "OrgnlGrpInfAndSts/{*}GrpSts")
    block = _verdict(report, "OrgnlPmtInfAndSts/{*}PmtInfSts")
    message_id = _text(report, "OrgnlGrpInfAndSts/{*}OrgnlMsgId")
    return StatusReport(message_id, tuple(named.values()), block or whole)


def _text(node: Element, path: str) -> str | None:
    found = node.findtext(f"{{*}}{path}")
    return found.strip() if found and found.strip() else None


def _verdict(node: Element, path: str) -> Verdict | None:
    """Return the verdict at this path, with the reason beside it; None where nothing is said."""
    code = _text(node, path)
    if code is None or code == "PART":  # Partly: the payments themselves say which.
        return None
    beside = node if "/" not in path else node.find(f"{{*}}{path.partition('/')[0]}")
    assert beside is not None, "a code stands in its element"
    reason = _text(beside, "StsRsnInf/{*}Rsn/{*}Cd")
    known = reason if reason and re.fullmatch(REASON_FORM, reason) else None
    return Verdict(OUTCOMES.get(code, Outcome.PENDING), known)


def apply_report(report: StatusReport, payouts: Sequence[Payout]) -> Applied:
    """Return what a report changes in a batch; `payouts` are those that were released with it."""
    said = {status.end_to_end_id: status.verdict for status in report.each}
    of_ours = {payout_of(name): verdict for name, verdict in said.items()}
    ours = {payout.id for payout in payouts}
    changes: list[Change] = []
    contradicting: list[UUID] = []
    unchanged = pending = 0
    for payout in payouts:
        verdict = of_ours.get(payout.id, report.everyone_else)
        if verdict is None:
            continue
        after = _TARGETS.get(verdict.outcome)
        if after is None:
            pending += 1
        elif after is payout.state:
            unchanged += 1
        elif payout.state in STEPS[after]:
            changes.append(Change(payout.id, payout.state, after, verdict.reason_code))
        else:
            contradicting.append(payout.id)
    unknown = tuple(name for name in said if payout_of(name) not in ours)
    return Applied(tuple(changes), unchanged, pending, tuple(contradicting), unknown)
