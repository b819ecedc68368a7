"""Every invariant as one statement: a row for each thing looked at, a sentence for what is wrong.

A statement returns one column, ``fault``: null where the promise is kept.
"""
# ruff: noqa: S608 - only constants of this program are put into the statements

from dataclasses import dataclass

from app.audit import (
    after_ride,
    books,
    costs,
    driving,
    elections,
    fares,
    guests,
    open_votes,
    payments,
    payouts,
    reciprocity,
    register,
    seals,
    solidarity,
    statements,
    surplus,
)
from app.foundation.database import APP_ROLE
from app.rides import lifecycle


@dataclass(frozen=True, slots=True)
class Invariant:
    """A statement that must find no fault, and the promise (DESIGN G1 to G10) it belongs to."""

    name: str
    promise: str
    sql: str


def _rows(*values: tuple[str, ...]) -> str:
    """Return constants of this program as the rows of a VALUES list."""
    return ", ".join(f"({', '.join(repr(str(part)) for part in row)})" for row in values)


# Unique indexes by which two who come at once cannot both win.
UNIQUE_INDEXES = (
    "one_open_solo_ride_per_driver",
    "one_open_ride_per_rider",
    "one_open_offer_per_ride",
    "one_open_offer_per_driver",
    "one_accepted_offer_per_ride_and_driver",
    "one_open_shift_per_driver",
    "a_quote_is_booked_once",
    "a_hold_serves_one_ride",
    "idempotency_key_pkey",
    "event_log_pkey",
    "a_journal_is_posted_once",
    "a_journal_is_reversed_once",
    "hold_end_pkey",
    "one_account_of_a_kind_per_member",
    "one_house_account_of_a_kind",
    "a_journal_is_of_one_cost",
    "one_value_of_a_policy_at_a_moment",
    "cooperative_pkey",
    "one_member_per_phone",
    *register.UNIQUE_INDEXES,
    *open_votes.UNIQUE_INDEXES,
    *elections.UNIQUE_INDEXES,
    *payments.UNIQUE_INDEXES,
    *payouts.UNIQUE_INDEXES,
    *after_ride.UNIQUE_INDEXES,
    *guests.UNIQUE_INDEXES,
    *reciprocity.UNIQUE_INDEXES,
    *fares.UNIQUE_INDEXES,
    *surplus.UNIQUE_INDEXES,
    *solidarity.UNIQUE_INDEXES,
    *seals.UNIQUE_INDEXES,
)
CONSTRAINTS = (
    *books.CONSTRAINTS,
    "costs_have_a_document",
    "purposes_are_known",
    "a_closed_ride_has_an_end",
    "a_driven_ride_has_a_driver",
    "a_scheduled_ride_has_a_window",
    "a_shared_fare_is_never_above_alone",
    "a_shared_quote_says_its_limits",
    "policies_come_from_a_decision",
    "a_voted_policy_names_its_tally",
    "one_cooperative_per_database",
    "a_person_decides_applications",
    "nobody_admits_themselves",
    "suspensions_have_a_reason",
    *register.CONSTRAINTS,
    *open_votes.CONSTRAINTS,
    *elections.CONSTRAINTS,
    *payments.CONSTRAINTS,
    *payouts.CONSTRAINTS,
    *after_ride.CONSTRAINTS,
    *guests.CONSTRAINTS,
    *reciprocity.CONSTRAINTS,
    *fares.CONSTRAINTS,
    *surplus.CONSTRAINTS,
    *solidarity.CONSTRAINTS,
    *seals.CONSTRAINTS,
)
# Only functions write these, and nobody edits them.
BOOKS = (
    "event_log",
    *books.BOOKS,
    "policy_version",
    "tariff_version",
    "cooperative",
    "cost_entry",
    *elections.BOOKS,
)
# The app itself adds these; nobody edits one.
APPEND_ONLY = (
    *BOOKS,
    "forecast_replay",
    "calibration",
    *open_votes.APPEND_ONLY,
    *elections.APPEND_ONLY,
    *payments.APPEND_ONLY,
    *payouts.APPEND_ONLY,
    *after_ride.APPEND_ONLY,
    *guests.APPEND_ONLY,
    *fares.APPEND_ONLY,
    *surplus.APPEND_ONLY,
    *solidarity.APPEND_ONLY,
    *seals.APPEND_ONLY,
)
GUARDED = (*BOOKS, "balance", "event_stream", "demo_clock")
OWNERS_FUNCTIONS = ("found_cooperative", "release_hold", *elections.OWNERS_FUNCTIONS)

INDEXES_STAND = f"""
select case
    when i.indexrelid is null then 'the unique index ' || wanted.name || ' is missing'
    when not (i.indisunique and i.indisvalid and i.indisready)
      then 'the index ' || wanted.name || ' does not refuse doubles' end as fault
from (values {_rows(*((name,) for name in UNIQUE_INDEXES))}) as wanted(name)
left join pg_class c on c.relname = wanted.name and c.relnamespace = 'public'::regnamespace
left join pg_index i on i.indexrelid = c.oid
"""

CONSTRAINTS_STAND = f"""
select case
    when c.oid is null then 'the constraint ' || wanted.name || ' is missing'
    when not (c.convalidated and c.conenforced)
      then 'the constraint ' || wanted.name || ' is not enforced' end as fault
from (values {_rows(*((name,) for name in CONSTRAINTS))}) as wanted(name)
left join pg_constraint c on c.conname = wanted.name and c.connamespace = 'public'::regnamespace
"""

QUOTES_BOOKED_ONCE = """
select case when count(*) > 1
    then 'quote ' || quote_id || ' was booked by ' || count(*) || ' rides' end as fault
from ride group by quote_id
"""

# A command that was answered with a ride in some state has brought the ride there itself.
COMMANDS_ACT_ONCE = """
select case when answered.times > coalesce(happened.times, 0)
    then answered.times || ' commands were answered that ride ' || answered.ride_id || ' is '
      || answered.state || ', which it became ' || coalesce(happened.times, 0) || ' times' end
    as fault
from (select r.id as ride_id, k.body->>'state' as state, count(*) as times
      from idempotency_key k join ride r on r.id::text = k.body->>'id'
      where k.status < 300 and k.body ? 'state' group by 1, 2) as answered
left join (select stream_id, data->>'state' as state, count(*) as times
           from event_log where type like 'ride.%' group by 1, 2) as happened
  on happened.stream_id = answered.ride_id and happened.state = answered.state
"""

BOOKS_ARE_APPEND_ONLY = f"""
select case when t.oid is null then 'table ' || wanted.name || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || wanted.name || ' is switched off' end
    as fault
from (values {_rows(*((name,) for name in APPEND_ONLY))}) as wanted(name)
cross join lateral (values (wanted.name || '_is_append_only'),
                           (wanted.name || '_is_never_emptied')) as guard(name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || wanted.name)
"""

PROGRAM_CANNOT_EDIT = f"""
select case when has_table_privilege(app.oid, to_regclass('public.' || wanted.name), may.act)
    then 'the program itself may ' || may.act || ' on ' || wanted.name end as fault
from (values {_rows(*((name,) for name in GUARDED))}) as wanted(name)
cross join (values ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) as may(act)
cross join pg_roles app where app.rolname = '{APP_ROLE}'
union all
select case when has_function_privilege(app.oid, p.oid, 'EXECUTE')
    then 'the program itself may call ' || p.proname end
from pg_proc p cross join pg_roles app
where p.proname in ({", ".join(map(repr, OWNERS_FUNCTIONS))})
  and p.pronamespace = 'public'::regnamespace and app.rolname = '{APP_ROLE}'
"""

POLICIES_WERE_DECIDED = """
select case when c.one is null then 'policy ' || p.key || ' has no cooperative that decided it'
    when p.source = 'tally' and p.tally_id is null
    then 'policy ' || p.key || ' from ' || p.effective_from || ' names no tally'
    when p.source <> 'tally' and (p.source <> 'founding' or p.effective_from <> c.founded_at)
    then 'policy ' || p.key || ' from ' || p.effective_from
      || ' comes neither from the founding nor from a tally' end as fault
from policy_version p left join cooperative c on true
"""

# The whole table of steps, and the first ones, which have no state before them.
_STEPS = _rows(
    *(("", event, state) for state, event in lifecycle.FIRST_EVENTS.items()),
    *(
        (source, transition.event, transition.target)
        for transition in lifecycle.TRANSITIONS.values()
        for source in transition.sources
    ),
)
RIDES_FOLLOW_THE_TABLE = f"""
with legal(before, type, after) as (values {_STEPS}),
step as (
  select stream_id, seq, type, data->>'state' as after,
    coalesce(lag(data->>'state') over ride, '') as before,
    row_number() over (partition by stream_id order by seq desc) as from_end
  from event_log where type in (select type from legal)
    and stream_id = (data->>'ride_id')::uuid
  window ride as (partition by stream_id order by seq)),
walked as (
  select s.stream_id, min(s.seq) filter (where l.type is null) as illegal,
    max(s.after) filter (where s.from_end = 1) as last_state
  from step s left join legal l on (l.before, l.type, l.after) = (s.before, s.type, s.after)
  group by s.stream_id)
select case when w.stream_id is null then 'ride ' || r.id || ' has no history'
    when r.id is null then 'the history of ride ' || w.stream_id || ' has no ride'
    when w.illegal is not null
    then 'ride ' || r.id || ' took a step that is not in the table: event ' || w.illegal
    when w.last_state <> r.state
    then 'ride ' || r.id || ' is ' || r.state || ' but its history ends ' || w.last_state end
    as fault
from ride r full join walked w on w.stream_id = r.id
"""

CLOSED_RIDES_HOLD_NOTHING = f"""
select case when e.hold_id is null
    then 'ride ' || r.id || ' is ' || r.state || ' and its money is still held'
    when e.outcome <> case when s.ride_id is null then 'voided' else 'posted' end
    then 'ride ' || r.id || ' is ' || r.state || ' but its hold was ' || e.outcome
    when e.outcome = 'posted' and j.subject_id is distinct from r.id
    then 'the hold of ride ' || r.id || ' was posted for something else' end as fault
from ride r left join hold_end e on e.hold_id = r.hold_id left join journal j on j.id = e.journal_id
left join ride_settlement s on s.ride_id = r.id
where r.state in ({driving.states(lifecycle.CLOSED_STATES)})
"""

OPEN_RIDES_HOLD_THEIR_FARE = f"""
select case when e.hold_id is not null
    then 'ride ' || r.id || ' is ' || r.state || ' but its hold has ended'
    when h.amount_minor <> q.fare_minor
    then 'ride ' || r.id || ' costs ' || q.fare_minor || ' but ' || h.amount_minor || ' are held'
    end as fault
from ride r join quote q on q.id = r.quote_id join hold h on h.id = r.hold_id
left join hold_end e using (hold_id)
where r.state in ({driving.states(lifecycle.UNFINISHED_STATES)})
"""

STREAMS_HAVE_NO_GAPS = """
select case when s.stream_id is null
    then 'stream ' || l.stream_id || ' has events but no counter'
    when l.stream_id is null or l.lowest <> 1 or l.highest <> l.events or l.highest <> s.last_seq
    then 'stream ' || s.stream_id || ' counts to ' || s.last_seq || ' and holds '
      || coalesce(l.events, 0) || ' events up to ' || coalesce(l.highest, 0) end as fault
from event_stream s
full join (select stream_id, min(seq) as lowest, max(seq) as highest, count(*) as events
           from event_log group by stream_id) as l on l.stream_id = s.stream_id
"""

ALL: tuple[Invariant, ...] = (
    Invariant("no driver has two open rides unless shared", "G2", driving.ONE_RIDE_PER_DRIVER),
    Invariant("no car is too full", "G2", driving.CARS_HOLD_THEIR_SEATS),
    Invariant("wheelchairs ride in cars that take them", "G2", driving.WHEELCHAIRS_FIT),
    Invariant("cars keep their guard", "G2", driving.CARS_ARE_GUARDED),
    Invariant("no rider has two open rides", "G2", driving.ONE_RIDE_PER_RIDER),
    Invariant("no rider is booked twice for one time", "G2", driving.PICKUP_WINDOWS_ARE_APART),
    Invariant("one accepted offer begins one assignment", "G2", driving.ONE_ACCEPTED_OFFER),
    Invariant("unique indexes stand", "G2", INDEXES_STAND),
    Invariant("constraints stand", "G2", CONSTRAINTS_STAND),
    Invariant("each quote is booked once", "G3", QUOTES_BOOKED_ONCE),
    Invariant("each answered command acted once", "G3", COMMANDS_ACT_ONCE),
    Invariant("streams have no gaps", "G4", STREAMS_HAVE_NO_GAPS),
    Invariant("rides follow the table of steps", "G4", RIDES_FOLLOW_THE_TABLE),
    Invariant("each journal has a transfer", "G5", books.JOURNALS_HAVE_TRANSFERS),
    Invariant("each transfer balances", "G5", books.TRANSFERS_BALANCE),
    Invariant("balances are the sum of transfers", "G5", books.BALANCES_ARE_SUMS),
    Invariant("held money is the sum of open holds", "G5", books.HELD_IS_OPEN_HOLDS),
    Invariant("no account is below its limit", "G5", books.ABOVE_THE_LIMIT),
    Invariant("holds end as booked", "G5", books.HOLDS_END_AS_BOOKED),
    Invariant("roll-ups are the sum of transfers", "G5", books.ROLL_UPS_ARE_SUMS),
    Invariant("closed periods stay closed", "G5", books.CLOSED_PERIODS_STAY_CLOSED),
    Invariant("corrections have a reason", "G5", books.CORRECTIONS_HAVE_A_REASON),
    Invariant("the statutory reserve is indivisible", "G5", books.RESERVE_IS_INDIVISIBLE),
    Invariant("the ledger keeps its guard", "G5", books.LEDGER_IS_GUARDED),
    Invariant("holds of closed rides have ended", "G5", CLOSED_RIDES_HOLD_NOTHING),
    Invariant("open rides hold their fare", "G5", OPEN_RIDES_HOLD_THEIR_FARE),
    Invariant("costs have a purpose and a document", "G5", costs.COSTS_ARE_EXPLAINED),
    Invariant("reversals mirror what they reverse", "G5", costs.REVERSALS_MIRROR),
    Invariant("shares are paid in as asked", "G5", register.SHARES_ARE_PAID_IN),
    Invariant("shares are booked as such", "G5", register.SHARES_ARE_BOOKED_AS_SUCH),
    Invariant("what is on its way is released", "G5", payouts.CLEARING_IS_ON_ITS_WAY),
    Invariant("payouts are booked as paid", "G5", payouts.PAYOUTS_ARE_BOOKED),
    Invariant("payout journals are of payouts", "G5", payouts.PAYOUT_JOURNALS_ARE_OF_PAYOUTS),
    Invariant("two people pay", "G5", payouts.TWO_PEOPLE_PAY),
    Invariant("files pay what was released", "G5", payouts.FILES_PAY_WHAT_WAS_RELEASED),
    Invariant("payouts keep their guard", "G5", payouts.PAYOUTS_ARE_GUARDED),
    *(Invariant(name, "G5", sql) for name, sql in after_ride.PROMISES),
    Invariant("guests pay as was agreed", "G5", guests.GUESTS_PAY_AS_AGREED),
    Invariant("what is noted of guests keeps its guard", "G5", guests.GUESTS_ARE_GUARDED),
    Invariant("payments are booked as paid", "G5", payments.PAYMENTS_ARE_BOOKED),
    Invariant("rides are paid as settled", "G6", payments.RIDES_ARE_PAID_AS_SETTLED),
    Invariant("cash owed is limited", "G5", payments.CASH_OWED_IS_LIMITED),
    Invariant("invoices add up", "G5", payments.INVOICES_ADD_UP),
    Invariant("no card number is stored", "G5", payments.NO_CARD_NUMBER_IS_STORED),
    Invariant("payments keep their guard", "G5", payments.PAYMENTS_ARE_GUARDED),
    Invariant("statements leave nothing out", "G5", statements.STATEMENTS_SHOW_EVERYTHING),
    Invariant("shares name their decision", "G6", statements.SHARES_NAME_THEIR_DECISION),
    Invariant("seals follow each other", "G5", seals.SEALS_FOLLOW_EACH_OTHER),
    Invariant("salts keep their guard", "G5", seals.SALTS_ARE_GUARDED),
    Invariant(
        "sisters' accounts are their clearings",
        "G5",
        reciprocity.SISTERS_ACCOUNTS_ARE_THEIR_CLEARINGS,
    ),
    Invariant("clearings are booked as claimed", "G5", reciprocity.CLEARINGS_ARE_BOOKED),
    Invariant("no clearing is booked twice", "G5", reciprocity.NO_CLEARING_IS_BOOKED_TWICE),
    Invariant("sisters owe within their limits", "G5", reciprocity.SISTERS_OWE_WITHIN_LIMITS),
    Invariant("letters are spent as claimed", "G5", reciprocity.LETTERS_ARE_SPENT_AS_CLAIMED),
    Invariant("two people register a sister", "G5", reciprocity.TWO_PEOPLE_REGISTER_SISTERS),
    Invariant("settlements are agreed", "G5", reciprocity.SETTLEMENTS_ARE_AGREED),
    Invariant("reciprocity keeps its guard", "G5", reciprocity.SISTERS_ARE_GUARDED),
    Invariant("the fund is never overdrawn", "G5", solidarity.FUND_IS_NEVER_OVERDRAWN),
    Invariant("the fund's payments are booked", "G5", solidarity.FUND_PAYMENTS_ARE_BOOKED),
    Invariant("the fund's journals are explained", "G5", solidarity.JOURNALS_ARE_EXPLAINED),
    Invariant("gifts keep waiting time and duration", "G5", solidarity.GIFTS_ARE_IN_TIME),
    Invariant("people confirmed who is given to", "G9", solidarity.PEOPLE_CONFIRMED),
    Invariant("contributions are as voted", "G6", solidarity.CONTRIBUTIONS_ARE_AS_VOTED),
    Invariant("guarantees keep their cap", "G6", solidarity.GUARANTEES_KEEP_THE_CAP),
    Invariant("circles keep their guard", "G5", solidarity.CIRCLES_ARE_GUARDED),
    Invariant("books are append-only", "G5", BOOKS_ARE_APPEND_ONLY),
    Invariant("the program cannot edit the books", "G5", PROGRAM_CANNOT_EDIT),
    Invariant("functions read the books alone", "G5", elections.FUNCTIONS_READ_THE_BOOKS),
    Invariant("each completed ride is paid once", "G6", fares.COMPLETED_RIDES_ARE_PAID_ONCE),
    Invariant("fares are of completed rides", "G6", fares.FARES_ARE_OF_COMPLETED_RIDES),
    Invariant("each ride is settled once", "G6", fares.RIDES_ARE_SETTLED_ONCE),
    Invariant("fares are booked as settled", "G6", fares.FARES_ARE_BOOKED_AS_SETTLED),
    Invariant("fares are settled as quoted", "G6", fares.FARES_ARE_AS_QUOTED),
    Invariant("fares name their quote's policy", "G6", fares.FARES_NAME_THEIR_POLICY),
    Invariant("quotes use the policy in force", "G6", fares.QUOTES_USE_THE_POLICY_IN_FORCE),
    Invariant("sharing never costs more than riding alone", "G6", fares.SHARING_COSTS_NO_MORE),
    Invariant("surge keeps to the voted cap", "G6", fares.SURGE_KEEPS_TO_THE_CAP),
    Invariant("a wheelchair costs nothing", "G6", fares.WHEELCHAIRS_COST_NOTHING),
    Invariant("two people set prices", "G6", fares.TWO_PEOPLE_SET_PRICES),
    Invariant("riders accepted changed prices", "G6", fares.CHANGES_WERE_ACCEPTED),
    Invariant("tariffs and changes keep their guard", "G6", fares.HISTORIES_ARE_GUARDED),
    Invariant("policies were decided", "G6", POLICIES_WERE_DECIDED),
    Invariant("the register keeps its guard", "G7", register.REGISTER_IS_GUARDED),
    Invariant("nobody is on the register twice", "G7", register.NOBODY_IS_ON_THE_REGISTER_TWICE),
    Invariant("members were admitted by another", "G7", register.MEMBERS_WERE_ADMITTED_BY_ANOTHER),
    Invariant("two people erase", "G7", register.TWO_PEOPLE_ERASE),
    Invariant("who was erased is gone", "G7", register.WHO_WAS_ERASED_IS_GONE),
    Invariant("salts went by erasures", "G7", register.SALTS_WENT_BY_ERASURES),
    Invariant("votes keep their guard", "G7", elections.VOTES_ARE_GUARDED),
    Invariant("open votes add up", "G7", open_votes.OPEN_VOTES_ADD_UP),
    Invariant("open votes are cast in time", "G7", open_votes.OPEN_VOTES_ARE_CAST_IN_TIME),
)
