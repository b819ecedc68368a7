"""Before a vote a text is amended, explained in plain words and written about by a panel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.amendment import Amendment, Change, StaleAmendment, accept, propose, version_of
from governance.explanation import Fault, faults, words
from governance.panel import draw_panel

STATUTE = "Art. 1\nThe share is 15 %.\nIt is voted yearly.\n"
BEACON = bytes(range(32))
MONEY = ("€", "EUR", "cents")


def test_an_amendment_shows_the_lines_it_changes_and_nothing_else() -> None:
    amendment = propose(STATUTE, STATUTE.replace("15", "12"))
    assert amendment.changes == (Change(1, 2, ("The share is 12 %.\n",)),)
    assert accept(amendment, text=STATUTE) == STATUTE.replace("15", "12")


texts = st.lists(st.sampled_from(["a", "b", "\n", "\r", "\0", "\u2028", "é"])).map("".join)


@given(texts, texts)
def test_an_accepted_amendment_makes_the_old_text_the_new_one(old: str, new: str) -> None:
    assert accept(propose(old, new), text=old) == new
    assert propose(old, old).changes == ()


@given(texts, texts, texts, texts)
def test_texts_of_thousands_of_equal_lines_are_compared_at_once(
    head: str, old: str, new: str, tail: str
) -> None:
    """Line by line, this would hold up the whole program for hours."""
    many = "\n" * 5_000
    before, after = head + many + old + many + tail, head + many + new + many + tail

    amendment = propose(before, after)

    assert len(amendment.changes) == (before != after)
    assert accept(amendment, text=before) == after
    assert sum(len(change.lines) for change in amendment.changes) <= len(new) + 1


def test_an_amendment_of_an_older_version_is_refused() -> None:
    amendment = propose(STATUTE, STATUTE + "Art. 2\n")
    with pytest.raises(StaleAmendment):
        accept(amendment, text=STATUTE.replace("15", "12"))


@pytest.mark.parametrize(
    "changes", [(Change(2, 1, ()),), (Change(0, 4, ()),), (Change(1, 2, ()), Change(1, 3, ()))]
)
def test_changes_over_each_other_or_outside_the_text_are_refused(
    changes: tuple[Change, ...],
) -> None:
    with pytest.raises(ValueError, match="ascending"):
        accept(Amendment(version_of(STATUTE), changes), text=STATUTE)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Of a ride of € 10 the driver keeps € 8.80 instead of € 8.50.", ()),
        ("Of a ride of 10 EUR you keep more.", ()),
        ("You keep 30 cents more.", ()),
        ("You keep more.", (Fault.NO_EXAMPLE_IN_MONEY,)),
        ("Article 10 europe-wide.", (Fault.NO_EXAMPLE_IN_MONEY,)),
        ("  ", (Fault.EMPTY,)),
        ("€ 10 " + "word " * 58, ()),
        ("€ 10 " + "word " * 59, (Fault.TOO_LONG,)),
        ("word " * 61, (Fault.TOO_LONG, Fault.NO_EXAMPLE_IN_MONEY)),
    ],
)
def test_an_explanation_is_short_and_gives_an_example_in_money(
    text: str, found: tuple[Fault, ...]
) -> None:
    assert faults(text, money=MONEY) == found


def test_an_amount_and_its_currency_count_as_words() -> None:
    assert words("Of € 10 you keep € 9.") == 7


def test_a_draw_is_the_same_for_everybody_who_repeats_it() -> None:
    members = [f"member-{n}" for n in range(40)]
    panel = draw_panel(members, size=12, randomness=BEACON)
    assert len(set(panel)) == 12
    assert draw_panel(reversed(members), size=12, randomness=BEACON) == panel
    assert draw_panel(members, size=12, randomness=BEACON[::-1]) != panel


def test_leaving_a_member_out_moves_up_the_next_lot_and_no_other() -> None:
    members = [f"member-{n}" for n in range(40)]
    order = draw_panel(members, size=40, randomness=BEACON)
    without = [member for member in members if member != order[3]]
    assert draw_panel(without, size=40, randomness=BEACON) == order[:3] + order[4:]


def test_every_member_is_drawn_about_as_often() -> None:
    members = [str(n) for n in range(10)]
    drawn = [
        member
        for n in range(2000)
        for member in draw_panel(members, size=3, randomness=n.to_bytes(16))
    ]
    # 600 expected of each; five standard deviations of a draw of 3 in 10 are 102.
    assert all(abs(drawn.count(member) - 600) < 103 for member in members)


@pytest.mark.parametrize(
    ("members", "size", "randomness"),
    [(["a"], 0, BEACON), (["a"], 1, b"too short"), (["a", "a"], 1, BEACON)],
)
def test_a_draw_that_somebody_could_bend_is_refused(
    members: list[str], size: int, randomness: bytes
) -> None:
    with pytest.raises(ValueError, match=r"a draw needs|twice"):
        draw_panel(members, size=size, randomness=randomness)
