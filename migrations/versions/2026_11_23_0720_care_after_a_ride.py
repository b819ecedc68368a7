"""Keep tips, disputes, split fares and the pay floor.

Revision: care_after_a_ride
Follows: price_by_rules
"""

import sqlalchemy as sa
from alembic import op

revision = "care_after_a_ride"
down_revision = "price_by_rules"
branch_labels = None
depends_on = None

MONEY, MOMENT = sa.BigInteger(), sa.DateTime(timezone=True)
TABLES = (
    "tip",
    "dispute",
    "dispute_decision",
    "fare_split",
    "fare_split_part",
    "pay_floor_week",
    "pay_floor_round",
)
RIGHTS = {
    "tip": "insert",
    "dispute": "insert, update (state, appealed_by, appealed_at, appeal_text)",
    "dispute_decision": "insert, update (released_by, withdrawn_by, withdrawn_at,"
    " withdrawn_because, effective_at, journal_id, undone_at)",
    "fare_split": "insert, update (settled_at)",
    "fare_split_part": "insert, update (state, hold_id, most_minor, answered_at, amount_minor,"
    " journal_id)",
    "pay_floor_week": "insert",
    "pay_floor_round": "insert",
}
APPEND_ONLY = ("tip", "pay_floor_week", "pay_floor_round")
# Rows of these change, and keep what was written: which function sees to it.
GUARDS = {
    "dispute": "keep_steps",
    "dispute_decision": "keep_history",
    "fare_split": "keep_history",
    "fare_split_part": "keep_steps",
}

DISPUTE_CHECKS = {
    "dispute_parties_are_known": "party in ('rider', 'driver')",
    "dispute_kinds_are_known": "kind in ('wrong_fare', 'no_show_fee', 'cancellation_fee',"
    " 'lost_time', 'other')",
    "dispute_states_are_known": "state in ('open', 'decided', 'appealed', 'final')",
    "disputes_say_what_happened": "length(text) between 1 and 500",
    "appeals_say_why": "length(appeal_text) between 1 and 500",
    "an_appeal_is_somebodys": "(state in ('appealed', 'final')) = (appealed_by is not null)"
    " and (appealed_by is null) = (appealed_at is null)"
    " and (appealed_by is null) = (appeal_text is null)",
}
DECISION_CHECKS = {
    "dispute_outcomes_are_known": "outcome in ('refuse', 'refund', 'pay_driver', 'uphold')",
    "a_dispute_is_decided_twice_at_most": "round in (1, 2)",
    "only_an_appeal_upholds": "outcome <> 'uphold' or round = 2",
    "decisions_say_who_bears_them": "amount_minor = from_driver_minor + from_commission_minor"
    " + from_costs_minor and least(from_driver_minor, from_commission_minor, from_costs_minor)"
    " >= 0 and (amount_minor > 0) = (outcome in ('refund', 'pay_driver'))",
    "drivers_do_not_pay_themselves": "outcome <> 'pay_driver' or from_driver_minor = 0",
    "decisions_have_a_reason": "length(reason) between 1 and 500",
    "somebody_else_releases_a_decision": "released_by <> decided_by",
    "two_people_decide_on_much": "effective_at is null or amount_minor <= 5000"
    " or released_by is not null",
    "decisions_that_move_money_have_a_journal": "(effective_at is not null and amount_minor > 0)"
    " = (journal_id is not null)",
    "a_decision_stands_or_was_withdrawn": "effective_at is null or withdrawn_at is null",
    "withdrawn_decisions_say_why": "(withdrawn_at is null) = (withdrawn_by is null)"
    " and (withdrawn_at is null) = (withdrawn_because is null)"
    " and coalesce(length(withdrawn_because) between 1 and 500, true)",
    "only_what_happened_is_undone": "undone_at is null or journal_id is not null",
}
PART_CHECKS = {
    "split_states_are_known": "state in ('invited', 'accepted', 'declined', 'lapsed', 'paid',"
    " 'freed')",
    "a_fare_is_split_by_four_at_most": "position between 1 and 3",
    "accepted_parts_are_held": "(state in ('accepted', 'paid', 'freed')) = (hold_id is not null)"
    " and (hold_id is null) = (most_minor is null)",
    "answers_are_members": "state in ('invited', 'lapsed') or member_id is not null",
    "paid_parts_have_a_journal": "(state = 'paid') = (journal_id is not null)"
    " and (state = 'paid') = (amount_minor is not null)",
    "nobody_pays_more_than_they_accepted": "amount_minor between 1 and most_minor",
}
WEEK_CHECKS = {
    "weeks_are_reckoned_after_their_end": "week_start < week_end and week_end <= reckoned_at",
    "weeks_are_not_negative": "least(engaged_s, distance_m, earned_minor, floor_minor) >= 0",
    "a_week_is_filled_up_to_its_floor": "top_up_minor = greatest(0, floor_minor - earned_minor)",
    "top_ups_have_a_journal": "(top_up_minor > 0) = (journal_id is not null)",
}

# Only these states follow each other; what was written before stays.
KEEP_STEPS = """
create function keep_steps() returns trigger language plpgsql set search_path = public as $$
begin
  if not jsonb_strip_nulls(to_jsonb(old) - 'state') <@ to_jsonb(new)
      or (tg_table_name, old.state, new.state) not in (
        ('dispute', 'open', 'decided'), ('dispute', 'decided', 'appealed'),
        ('dispute', 'appealed', 'final'), ('fare_split_part', 'invited', 'accepted'),
        ('fare_split_part', 'invited', 'declined'), ('fare_split_part', 'invited', 'lapsed'),
        ('fare_split_part', 'accepted', 'paid'), ('fare_split_part', 'accepted', 'freed')) then
    raise exception 'a % goes from % to no %', tg_table_name, old.state, new.state
      using errcode = 'MN140';
  end if;
  return new;
end $$
"""

# A tip is a gift of that size: three times the fare is no slip of the finger yet. Whoever comes
# second waits until the first has committed, and then sees it.
KEEP_TIPS_SENSIBLE = """
create function keep_tips_sensible() returns trigger language plpgsql set search_path = public as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(new.ride_id::text, 720));
  if (select sum(amount_minor) from tip where ride_id = new.ride_id)
      > (select 3 * fare_minor from ride_settlement where ride_id = new.ride_id) then
    raise exception 'tips are up to three times the fare' using errcode = 'MN141';
  end if;
  return null;
end $$
"""

KEEP_DECISIONS_FAIR = """
create function keep_decisions_fair() returns trigger language plpgsql
set search_path = public as $$
declare
  of_ride uuid;
begin
  select ride_id into strict of_ride from dispute where id = new.dispute_id;
  perform pg_advisory_xact_lock(hashtextextended(of_ride::text, 720));
  if exists (select from ride where id = of_ride and (rider_id in
        (new.decided_by, new.released_by, new.withdrawn_by)
      or driver_id in (new.decided_by, new.released_by, new.withdrawn_by))) then
    raise exception 'nobody decides on their own ride' using errcode = 'MN142';
  end if;
  if new.round = 2 and exists (select from dispute_decision first
      where first.dispute_id = new.dispute_id and first.round = 1 and first.effective_at is not null
        and new.decided_by in (first.decided_by, first.released_by)) then
    raise exception 'another person decides an appeal' using errcode = 'MN143';
  end if;
  if exists (
      select from ride_settlement s
      cross join lateral (select coalesce(sum(amount_minor), 0) as minor from tip
                          where ride_id = of_ride) as tips
      cross join lateral (
        select coalesce(sum(c.amount_minor) filter (where c.outcome = 'refund'), 0) as refunded,
          coalesce(sum(c.from_driver_minor), 0) as from_driver,
          coalesce(sum(c.from_commission_minor), 0) as from_commission
        from dispute_decision c join dispute d on d.id = c.dispute_id
        where d.ride_id = of_ride and c.effective_at is not null and c.undone_at is null) as stands
      where s.ride_id = of_ride and (stands.refunded > s.fare_minor + tips.minor
        or stands.from_driver > s.driver_net_minor + tips.minor
        or stands.from_commission > s.commission_minor)) then
    raise exception 'nothing is given back that was not paid' using errcode = 'MN144';
  end if;
  return null;
end $$
"""
FUNCTIONS = ("keep_steps", "keep_tips_sensible", "keep_decisions_fair")

# Written down once, as what a city file that leaves it out is founded with.
ADD_RATE = """
insert into policy_version (id, key, value, effective_from, source)
  select uuidv7(), 'pay_floor_per_km_minor', '0'::jsonb, founded_at, 'founding' from cooperative
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _create_tip()
    _create_dispute()
    _create_decision()
    _create_split()
    _create_pay_floor()
    for statement in (KEEP_STEPS, KEEP_TIPS_SENSIBLE, KEEP_DECISIONS_FAIR):
        op.execute(statement)
    for name in FUNCTIONS:
        op.execute(f"revoke execute on function {name}() from public")
    for table, rights in RIGHTS.items():
        op.execute(f"grant select, {rights} on {table} to meent_app")
        _guard(f"{table}_is_never_emptied", f"before truncate on {table}", each="statement")
    for table in APPEND_ONLY:
        _guard(f"{table}_is_append_only", f"before update or delete on {table}")
    for table, function in GUARDS.items():
        _guard(f"{table}_is_never_deleted", f"before delete on {table}")
        _guard(f"{table}_keeps_its_history", f"before update on {table}", function=function)
    _guard("tips_are_sensible", "after insert on tip", function="keep_tips_sensible")
    _guard(
        "decisions_are_fair",
        "after insert or update on dispute_decision",
        function="keep_decisions_fair",
    )
    op.execute(ADD_RATE)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    for name in FUNCTIONS:
        op.execute(f"drop function {name}()")


def _guard(name: str, when: str, *, function: str = "refuse_change", each: str = "row") -> None:
    op.execute(f"create trigger {name} {when} for each {each} execute function {function}()")


def _checks(rules: dict[str, str]) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(rule, name=name) for name, rule in rules.items()]


def _members(*columns: str) -> list[sa.ForeignKeyConstraint]:
    return [sa.ForeignKeyConstraint([column], ["member.id"]) for column in columns]


def _create_tip() -> None:
    op.create_table(
        "tip",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ride_id", sa.Uuid(), nullable=False),
        sa.Column("rider_id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", MONEY, nullable=False),
        sa.Column("journal_id", MONEY, nullable=False),
        sa.Column("tipped_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="tips_are_positive"),
        sa.ForeignKeyConstraint(["ride_id"], ["ride_settlement.ride_id"]),
        *_members("rider_id", "driver_id"),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("journal_id", name="a_tip_has_its_own_journal"),
    )
    op.create_index("tip_by_ride", "tip", ["ride_id", "id"])


def _create_dispute() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ride_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("appealed_by", sa.Uuid(), nullable=True),
        sa.Column("appealed_at", MOMENT, nullable=True),
        sa.Column("appeal_text", sa.Text(), nullable=True),
        *_checks(DISPUTE_CHECKS),
        sa.ForeignKeyConstraint(["ride_id"], ["ride_settlement.ride_id"]),
        *_members("opened_by", "appealed_by"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_dispute_per_ride_and_person",
        "dispute",
        ["ride_id", "opened_by"],
        unique=True,
        postgresql_where=sa.text("state in ('open', 'appealed')"),
    )
    op.create_index("dispute_by_ride", "dispute", ["ride_id", "id"])
    op.create_index("dispute_by_state", "dispute", ["state", "id"])


def _create_decision() -> None:
    parts = ("from_driver_minor", "from_commission_minor", "from_costs_minor", "amount_minor")
    op.create_table(
        "dispute_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        *(sa.Column(part, MONEY, nullable=False) for part in parts),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("withdrawn_because", sa.Text(), nullable=True),
        sa.Column("effective_at", MOMENT, nullable=True),
        sa.Column("journal_id", MONEY, nullable=True),
        sa.Column("undone_at", MOMENT, nullable=True),
        *_checks(DECISION_CHECKS),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"]),
        *_members("decided_by", "released_by", "withdrawn_by"),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("journal_id", name="a_decision_has_its_own_journal"),
    )
    op.create_index(
        "one_decision_stands_per_round",
        "dispute_decision",
        ["dispute_id", "round"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at is null"),
    )


def _create_split() -> None:
    op.create_table(
        "fare_split",
        sa.Column("ride_id", sa.Uuid(), nullable=False),
        sa.Column("rider_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["ride_id"], ["ride.id"]),
        *_members("rider_id"),
        sa.PrimaryKeyConstraint("ride_id"),
    )
    op.create_index(
        "fare_split_to_settle",
        "fare_split",
        ["ride_id"],
        postgresql_where=sa.text("settled_at is null"),
    )
    op.create_table(
        "fare_split_part",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ride_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("most_minor", MONEY, nullable=True),
        sa.Column("amount_minor", MONEY, nullable=True),
        sa.Column("journal_id", MONEY, nullable=True),
        *_checks(PART_CHECKS),
        sa.ForeignKeyConstraint(["ride_id"], ["fare_split.ride_id"]),
        *_members("member_id"),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"]),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ride_id", "position", name="one_part_per_position"),
        sa.UniqueConstraint("ride_id", "member_id", name="a_member_takes_one_part"),
        sa.UniqueConstraint("hold_id", name="a_hold_is_of_one_part"),
        sa.UniqueConstraint("journal_id", name="a_part_has_its_own_journal"),
    )
    op.create_index("fare_split_part_by_member", "fare_split_part", ["member_id", "id"])


def _create_pay_floor() -> None:
    figures = ("engaged_s", "distance_m", "earned_minor", "floor_minor", "top_up_minor")
    op.create_table(
        "pay_floor_week",
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("week_start", MOMENT, nullable=False),
        sa.Column("week_end", MOMENT, nullable=False),
        *(sa.Column(figure, MONEY, nullable=False) for figure in figures),
        sa.Column("journal_id", MONEY, nullable=True),
        sa.Column("reckoned_at", MOMENT, nullable=False),
        *_checks(WEEK_CHECKS),
        *_members("driver_id"),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.PrimaryKeyConstraint("driver_id", "week_start"),
        sa.UniqueConstraint("journal_id", name="a_top_up_has_its_own_journal"),
    )
    op.create_table(
        "pay_floor_round",
        sa.Column("week_start", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("week_start"),
    )
