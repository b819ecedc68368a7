"""Promises about clearing: lists compared line by line, many debts made few payments."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.clearing import (
    Difference,
    Entry,
    Payment,
    Position,
    compare,
    net_positions,
    settle,
)

US, THEM = UUID(int=1), UUID(int=2)
NAMES = [f"coop-{letter}" for letter in "abcdefgh"]


@st.composite
def position(draw: st.DrawFn) -> Position:
    debtor, creditor = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True))
    amount = draw(st.integers(-(10**9), 10**9))
    return Position(debtor, creditor, draw(st.sampled_from(["CHF", "EUR"])), amount)


POSITIONS = st.lists(position(), max_size=40)


@given(POSITIONS)
def test_what_stands_sums_to_zero_in_each_currency(positions: list[Position]) -> None:
    for nets in net_positions(positions).values():
        assert sum(nets.values()) == 0


@given(POSITIONS)
def test_after_the_payments_everybody_is_quits(positions: list[Position]) -> None:
    nets = net_positions(positions)

    for payment in settle(nets):
        nets[payment.currency][payment.payer] += payment.amount_minor
        nets[payment.currency][payment.payee] -= payment.amount_minor

    assert all(amount == 0 for of_currency in nets.values() for amount in of_currency.values())


@given(POSITIONS)
def test_n_cooperatives_need_at_most_n_minus_1_payments(positions: list[Position]) -> None:
    nets = net_positions(positions)
    payments = settle(nets)

    for currency, of_currency in nets.items():
        not_quits = sum(1 for amount in of_currency.values() if amount)
        made = sum(1 for payment in payments if payment.currency == currency)
        assert made <= max(not_quits - 1, 0)


@given(POSITIONS)
def test_nobody_pays_more_than_they_owe_nor_both_pays_and_gets(positions: list[Position]) -> None:
    nets = net_positions(positions)
    payments = settle(nets)

    for currency, of_currency in nets.items():
        for name, net in of_currency.items():
            own = [p for p in payments if p.currency == currency]
            paid = sum(p.amount_minor for p in own if p.payer == name)
            got = sum(p.amount_minor for p in own if p.payee == name)
            assert (paid, got) == (max(-net, 0), max(net, 0))
    assert all(payment.amount_minor > 0 for payment in payments)


@given(POSITIONS, st.randoms(use_true_random=False))
def test_the_order_of_positions_decides_nothing(positions: list[Position], random: object) -> None:
    shuffled = list(positions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert settle(net_positions(shuffled)) == settle(net_positions(positions))


@given(POSITIONS)
def test_netting_what_was_netted_changes_nothing(positions: list[Position]) -> None:
    payments = settle(net_positions(positions))
    owed = [Position(p.payer, p.payee, p.currency, p.amount_minor) for p in payments]

    again = settle(net_positions(owed))

    assert again == payments


def test_a_circle_of_equal_debts_needs_no_payment() -> None:
    circle = [Position(a, b, "CHF", 700) for a, b in [("a", "b"), ("b", "c"), ("c", "a")]]

    assert settle(net_positions(circle)) == ()


def test_the_largest_debtor_pays_the_largest_creditor_first() -> None:
    owed = [
        Position("a", "b", "CHF", 500),
        Position("a", "c", "CHF", 300),
        Position("d", "c", "CHF", 100),
    ]

    assert settle(net_positions(owed)) == (
        Payment("a", "b", "CHF", 500),
        Payment("a", "c", "CHF", 300),
        Payment("d", "c", "CHF", 100),
    )


@pytest.mark.parametrize(
    "wrong",
    [Position("a", "a", "CHF", 1), Position("a", "b", "CHF", 0.5)],  # type: ignore[arg-type]
)
def test_a_position_with_itself_or_in_fractions_is_refused(wrong: Position) -> None:
    with pytest.raises(ValueError, match=r"owe itself|whole minor units"):
        net_positions([wrong])


def test_nets_that_do_not_sum_to_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="sums to 1, not to 0"):
        settle({"CHF": {"a": 1, "b": 0}})


def test_two_lists_that_disagree_are_named_line_by_line() -> None:
    same = Entry(UUID(int=12), US, 5)
    ours = [Entry(UUID(int=10), US, 700), Entry(UUID(int=11), THEM, 300), same]
    theirs = [Entry(UUID(int=13), US, 9), same, Entry(UUID(int=10), US, 800)]

    assert compare(ours, theirs, own_id=US) == (
        Difference(UUID(int=10), 700, 800),
        Difference(UUID(int=11), -300, None),
        Difference(UUID(int=13), None, 9),
    )


def test_a_list_that_names_a_clearing_twice_is_refused() -> None:
    twice = [Entry(UUID(int=10), US, 700)] * 2

    with pytest.raises(ValueError, match="listed twice"):
        compare(twice, [], own_id=US)
