"""Promises about reading what a bank says, and about what it changes."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.payouts.rules import STEPS, Outcome, PayoutState
from app.payouts.status_report import (
    PaymentStatus,
    Payout,
    StatusReport,
    Verdict,
    apply_report,
    read_pain002,
)
from tests.app.payouts.till import pain002

BATCH = str(UUID(int=7))
ONE, TWO = UUID(int=1), UUID(int=2)
RELEASED = [Payout(ONE, PayoutState.RELEASED), Payout(TWO, PayoutState.RELEASED)]


@pytest.mark.parametrize("version", ["pain.002.001.03", "pain.002.001.10", "pain.002.001.14"])
def test_every_version_of_the_report_is_read(version: str) -> None:
    text = pain002(
        BATCH,
        payments={ONE.hex: ("ACSC", None), TWO.hex: ("RJCT", "AC04")},
        version=version,
    )

    report = read_pain002(text)

    assert report.message_id == UUID(BATCH).hex
    assert report.each == (
        PaymentStatus(ONE.hex, Verdict(Outcome.SETTLED)),
        PaymentStatus(TWO.hex, Verdict(Outcome.RETURNED, "AC04")),
    )
    assert report.everyone_else is None


@pytest.mark.parametrize("code", ["ACCP", "ACSP", "ACTC", "PDNG", "RCVD", "XXXX"])
def test_a_payment_under_way_or_of_an_unknown_status_changes_nothing(code: str) -> None:
    report = read_pain002(pain002(BATCH, payments={ONE.hex: (code, None)}))

    applied = apply_report(report, RELEASED)

    assert (applied.changes, applied.pending) == ((), 1)


def test_a_file_refused_as_a_whole_returns_every_payout() -> None:
    applied = apply_report(read_pain002(pain002(BATCH, group="RJCT")), RELEASED)

    assert [change.after for change in applied.changes] == [PayoutState.RETURNED] * 2


def test_a_file_taken_in_part_leaves_it_to_its_payments() -> None:
    text = pain002(BATCH, group="PART", payments={ONE.hex: ("ACSC", None)})

    applied = apply_report(read_pain002(text), RELEASED)

    assert [change.payout_id for change in applied.changes] == [ONE]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<Document/>",
        pain002(BATCH).replace("</Document>", ""),
        pain002(BATCH, version="pain.001.001.09"),
        '<!DOCTYPE a [<!ENTITY b "c">]>' + pain002(BATCH).partition("?>")[2],
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    ],
)
def test_what_is_no_report_or_brings_a_dtd_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the file"):
        read_pain002(text)


def test_a_reason_that_is_no_code_is_not_taken_over() -> None:
    text = pain002(BATCH, payments={ONE.hex: ("RJCT", "LI21088100002324013AA")})

    assert read_pain002(text).each[0].verdict == Verdict(Outcome.RETURNED, None)


def test_what_is_not_of_this_batch_is_named_and_changes_nothing() -> None:
    verdict = Verdict(Outcome.SETTLED)
    report = StatusReport(
        None, (PaymentStatus("NOTPROVIDED", verdict), PaymentStatus(UUID(int=9).hex, verdict))
    )

    applied = apply_report(report, RELEASED)

    assert applied.changes == ()
    assert applied.unknown == ("NOTPROVIDED", UUID(int=9).hex)


@given(
    st.sampled_from([PayoutState.RELEASED, PayoutState.SETTLED, PayoutState.RETURNED]),
    st.sampled_from(Outcome),
)
def test_a_report_takes_the_steps_of_the_table_and_no_other(
    state: PayoutState, outcome: Outcome
) -> None:
    report = StatusReport(None, (), Verdict(outcome))

    applied = apply_report(report, [Payout(ONE, state)])

    parts = (len(applied.changes), applied.unchanged, applied.pending, len(applied.contradicting))
    assert sum(parts) == 1
    for change in applied.changes:
        assert change.before in STEPS[change.after]
        again = apply_report(report, [Payout(ONE, change.after)])
        assert (again.changes, again.unchanged) == ((), 1)
