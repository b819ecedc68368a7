"""What the law of each legal form asks of a surplus: facts with their sources, and our doubts."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Clause[Value]:
    """One rule of a legal form: its value, where it stands, and whether somebody looked it up.

    `is_checked` False means that we know it by hearsay alone: whoever chooses the form must have
    it looked up before relying on it.
    """

    value: Value
    source: str
    is_checked: bool


@dataclass(frozen=True, slots=True)
class LegalForm:
    """What a form asks at least, and allows at most; shares in basis points.

    `reserve_bp`, `education_bp` and `refund_bp` are parts of what members' rides made;
    `reserve_of_others_bp` of what other people's rides made (Meent puts all of that into the
    reserve). `cash_bp` is the least part of each refund paid in money. `interest_cap_bp` is the
    most a share may earn a year, None where no figure is set. `operations_only` says that refunds
    may follow nothing but the business done: the part by hours is then left out. `redeem_after_s`
    is how long after leaving a member's capital is paid out at the earliest. `not_built` says in
    plain words what the form asks that this program does not do.
    """

    key: str
    name: str
    reserve_bp: Clause[int]
    reserve_of_others_bp: Clause[int]
    education_bp: Clause[int]
    refund_bp: Clause[int]
    cash_bp: Clause[int]
    interest_cap_bp: Clause[int | None]
    operations_only: Clause[bool]
    redeem_after_s: Clause[int]
    not_built: tuple[str, ...] = ()

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The names of the clauses that nobody has looked up."""
        return tuple(name for name, clause in self.clauses() if not clause.is_checked)

    def clauses(self) -> tuple[tuple[str, Clause[int] | Clause[bool] | Clause[int | None]], ...]:
        """Return every clause with its name, in the order of the fields."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return tuple((name, value) for name, value in named if isinstance(value, Clause))


DAY_S = 86_400
_ICA = "ICA, Statement on the Cooperative Identity (1995), third principle"
_BE = "Belgium, royal decree of 8 January 1962 on the recognition of cooperatives, art. 1"
_FR = "France, loi 78-763 of 19 July 1978, art. 33 (an earlier version was read, not today's)"
_ES = "Spain, Ley 27/1999 de Cooperativas, art. 58"
_OURS = "our own choice: the law sets no figure"
_UNKNOWN = "no figure found; not looked up"


def _nothing(source: str, *, is_checked: bool) -> Clause[int]:
    return Clause(0, source, is_checked)


ICA = LegalForm(
    key="ica",
    name="The principles of the International Cooperative Alliance, no country's law",
    reserve_bp=Clause(0, f"{_ICA}: part of the reserves indivisible, no figure", is_checked=True),
    reserve_of_others_bp=_nothing(_OURS, is_checked=True),
    education_bp=Clause(0, "ICA, fifth principle: no figure known", is_checked=False),
    refund_bp=_nothing(_OURS, is_checked=True),
    cash_bp=_nothing(_OURS, is_checked=True),
    interest_cap_bp=Clause(None, f"{_ICA}: limited, if any; no figure", is_checked=True),
    operations_only=Clause(False, f"{_ICA}: in proportion to transactions", is_checked=True),
    redeem_after_s=Clause(365 * DAY_S, _OURS, is_checked=True),
)
BELGIUM = LegalForm(
    key="be_recognised",
    name="Belgium: recognised cooperative (CV, SC)",
    reserve_bp=_nothing(_UNKNOWN, is_checked=False),
    reserve_of_others_bp=_nothing(_UNKNOWN, is_checked=False),
    education_bp=Clause(
        0, f"{_BE}: a part of the yearly income to inform and train members", is_checked=True
    ),
    refund_bp=_nothing(_UNKNOWN, is_checked=False),
    cash_bp=_nothing(_UNKNOWN, is_checked=False),
    interest_cap_bp=Clause(600, f"{_BE}: 6 % of the nominal, after tax withheld", is_checked=True),
    operations_only=Clause(True, f"{_BE}: refunds only pro rata of operations", is_checked=True),
    redeem_after_s=Clause(365 * DAY_S, _UNKNOWN, is_checked=False),
    not_built=("directors are unpaid or have no part of the profit",),
)
FRANCE = LegalForm(
    key="fr_scop",
    name="France: société coopérative de production (SCOP)",
    reserve_bp=Clause(
        1500,
        f"{_FR}: 15 % until the reserve equals the highest capital ever"
        " reached (Meent goes on after that, which is more than asked)",
        is_checked=False,
    ),
    reserve_of_others_bp=Clause(1500, f"{_FR}", is_checked=False),
    education_bp=_nothing(_UNKNOWN, is_checked=False),
    refund_bp=Clause(2500, f"{_FR}: 25 % or more to all workers", is_checked=False),
    cash_bp=_nothing(_UNKNOWN, is_checked=False),
    interest_cap_bp=Clause(
        None, f"{_FR}: no more than the workers' part; a cap in the older text", is_checked=False
    ),
    operations_only=Clause(
        False,
        f"{_FR}: by pay, by time, equally or a mix",
        is_checked=False,
    ),
    redeem_after_s=Clause(365 * DAY_S, _UNKNOWN, is_checked=False),
    not_built=(
        "workers who are no members, after 3 months, have a right to the workers' part too",
        "a share for a development fund: vote a pot for it",
    ),
)
SPAIN = LegalForm(
    key="es_cooperative",
    name="Spain: cooperative of the national law",
    reserve_bp=Clause(2000, f"{_ES}: 20 % to the obligatory reserve", is_checked=False),
    reserve_of_others_bp=Clause(
        5000, f"{_ES}: half of results from outside the cooperative's own work", is_checked=False
    ),
    education_bp=Clause(500, f"{_ES}: 5 % to education and promotion", is_checked=False),
    refund_bp=_nothing(_UNKNOWN, is_checked=False),
    cash_bp=_nothing(_UNKNOWN, is_checked=False),
    interest_cap_bp=Clause(None, f"{_ES}: capped; the figure was not found", is_checked=False),
    operations_only=Clause(
        False,
        f"{_ES}: the return follows the cooperative's activity",
        is_checked=False,
    ),
    redeem_after_s=Clause(365 * DAY_S, _UNKNOWN, is_checked=False),
)
UNITED_STATES = LegalForm(
    key="us_subchapter_t",
    name="United States: taxed under subchapter T",
    reserve_bp=_nothing(_OURS, is_checked=True),
    reserve_of_others_bp=_nothing(_OURS, is_checked=True),
    education_bp=_nothing(_OURS, is_checked=True),
    refund_bp=_nothing(_OURS, is_checked=True),
    cash_bp=Clause(2000, "26 USC 1388(c): a qualified notice needs 20 % in money", is_checked=True),
    interest_cap_bp=Clause(None, "of the state's law; not looked up", is_checked=False),
    operations_only=Clause(
        False,
        "26 CFR 1.1388-1: by quantity or value of the business done; that hours are a quantity"
        " is usual and was not looked up",
        is_checked=False,
    ),
    redeem_after_s=Clause(365 * DAY_S, _OURS, is_checked=True),
    not_built=(
        "a qualified notice needs each member's consent: ask for it when a member joins",
        "refunds are to be paid within eight and a half months of the year's end (not looked up)",
    ),
)

LEGAL_FORMS: dict[str, LegalForm] = {
    form.key: form for form in (ICA, BELGIUM, FRANCE, SPAIN, UNITED_STATES)
}
