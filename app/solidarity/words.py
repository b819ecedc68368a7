"""How it stands with the fund, in words that need no figures explained."""

from governance.solidarity.rules import CIRCLE_LEAST, RESERVE_MONTHS

LAW = (
    "A gift circle is no insurance. Nobody has a right to a gift: members give what they gathered,"
    " and where the fund holds less, everybody gets less. Whether this stays outside the law on"
    " insurance where you live depends on small circles and on that nobody can claim a gift: ask"
    " a lawyer before the first circle begins. It replaces neither sick pay nor an insurance."
)
PRIVACY = (
    "Payments are shown without names, in whole months put together until at least ten people are"
    " in them; the newest months wait until then. What the fund holds is shown to one digit and as"
    " of the beginning of a month. In a circle, members who confirm an illness know of it, and"
    " nobody writes down what it is."
)


def state_in_words(
    *, rate_bp: int, next_rate_bp: int | None, base_bp: int, reserve_months: int | None
) -> list[str]:
    """Return how it stands, sentence by sentence.

    `reserve_months` is for how many whole months the fund lasts if all goes as expected, None
    where nothing is expected of it.
    """
    said = [f"Who is in a circle contributes {_percent(rate_bp)} of the gift they chose a month."]
    if rate_bp > base_bp:
        said.append(
            f"That is more than the {_percent(base_bp)} the members voted for ordinary months,"
            " because the fund is short; it falls back by itself."
        )
    if next_rate_bp is not None and next_rate_bp != rate_bp:
        way = "more" if next_rate_bp > rate_bp else "less"
        said.append(f"From next month it is {way}: {_percent(next_rate_bp)}.")
    if reserve_months is None:
        said.append(
            f"Nothing is asked of the fund yet: a circle begins with {CIRCLE_LEAST} members."
        )
    elif reserve_months >= RESERVE_MONTHS:
        said.append(f"The fund holds {RESERVE_MONTHS} months of what it expects to pay, or more.")
    else:
        said.append(
            f"The fund holds less than {reserve_months + 1} of the {RESERVE_MONTHS} months that it"
            " should: contributions rise by the rule the members voted."
        )
    return said


def _percent(share_bp: int) -> str:
    return f"{share_bp / 100:g} %"
