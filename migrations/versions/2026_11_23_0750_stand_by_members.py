"""Let members stand by each other: circles, gifts to the sick, failed cards taken over.

Revision: stand_by_members
Follows: take_payments
"""

import sqlalchemy as sa
from alembic import op

revision = "stand_by_members"
down_revision = "take_payments"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
RIGHTS = {
    "circle": "insert, update (begun_at)",
    "circle_membership": "insert, update (left_at)",
    "sick_leave": "insert, update (ended_on, confirmed_at)",
    "sick_leave_confirmation": "insert",
    "sick_gift": "insert",
    "solidarity_contribution": "insert",
    "solidarity_month": "insert",
    "guarantee": "insert",
    "guarantee_return": "insert",
    "guarantee_write_off": "insert",
}
KEPT = ("circle", "circle_membership", "sick_leave")
APPEND_ONLY = tuple(table for table in RIGHTS if table not in KEPT)
# The last of those that stood in the list of what members vote on, and those that come after it.
LISTED = "surge_cap_bp"
NUMBERS = (
    "solidarity_contribution_bp",
    "solidarity_most_bp",
    "guarantee_cap_minor",
    "gift_waiting_days",
    "gift_longest_months",
)

# The list stands in a function that other migrations change too: only the list grows here.
CHANGE_NUMBERS = """
do $$
declare
  body text;
begin
  select pg_get_functiondef('enact_tally'::regproc) into strict body;
  if position($old${old}$old$ in body) = 0 then
    raise exception 'enact_tally has no list of numbers to change';
  end if;
  execute replace(body, $old${old}$old$, $new${new}$new$);
end $$
"""

# A cooperative founded before has no figures for this. They are written down once, as what a city
# file that leaves them out is founded with, so that no later release changes its statutes.
ADD_FIGURES = """
insert into policy_version (id, key, value, effective_from, source)
  select uuidv7(), figure.key, figure.value, c.founded_at, 'founding'
  from cooperative c cross join (values
    ('solidarity_contribution_bp', '450'::jsonb), ('solidarity_most_bp', '1350'),
    ('guarantee_cap_minor', '5000'), ('gift_waiting_days', '30'), ('gift_longest_months', '24'))
    as figure(key, value)
"""

KEEP_CIRCLES_SMALL = """
create function keep_circles_small() returns trigger language plpgsql set search_path = public as $$
begin
  perform from circle where id = new.circle_id for update;
  if (select count(*) from circle_membership
      where circle_id = new.circle_id and left_at is null) >= 50 then
    raise exception 'a circle has 50 members at most' using errcode = 'MN075';
  end if;
  return new;
end $$
"""


def _numbers(*, added: bool) -> str:
    before = f"'{LISTED}'"
    after = ", ".join(f"'{key}'" for key in (LISTED, *NUMBERS))
    old, new = (before, after) if added else (after, before)
    return CHANGE_NUMBERS.format(old=old, new=new)


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _create_circles()
    _create_sick_leave()
    _create_months()
    _create_guarantee()
    op.execute(KEEP_CIRCLES_SMALL)
    op.execute("revoke execute on function keep_circles_small() from public")
    op.execute(
        "create trigger circles_stay_small before insert on circle_membership"
        " for each row execute function keep_circles_small()"
    )
    for table, rights in RIGHTS.items():
        op.execute(f"grant select, {rights} on {table} to meent_app")
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )
    for table in KEPT:
        op.execute(
            f"create trigger {table}_keeps_its_history before update on {table}"
            " for each row execute function keep_history()"
        )
        op.execute(
            f"create trigger {table}_is_never_deleted before delete on {table}"
            " for each row execute function refuse_change()"
        )
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
    op.execute(_numbers(added=True))
    op.execute(ADD_FIGURES)


def downgrade() -> None:
    op.execute(_numbers(added=False))
    for table in reversed(RIGHTS):
        op.drop_table(table)
    op.execute("drop function keep_circles_small()")


def _create_circles() -> None:
    op.create_table(
        "circle",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("begun_at", MOMENT, nullable=True),
        sa.CheckConstraint("length(name) between 1 and 60", name="circles_have_a_name"),
        sa.ForeignKeyConstraint(["opened_by"], ["member.id"]),
        sa.UniqueConstraint("name", name="circles_have_names_of_their_own"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "circle_membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("circle_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("tier_minor", sa.BigInteger(), nullable=False),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.Column("left_at", MOMENT, nullable=True),
        sa.CheckConstraint("tier_minor > 0", name="tiers_are_positive"),
        sa.CheckConstraint("left_at >= joined_at", name="circles_are_left_later"),
        sa.ForeignKeyConstraint(["circle_id"], ["circle.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_circle_per_member",
        "circle_membership",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("left_at is null"),
    )
    op.create_index("circle_membership_by_circle", "circle_membership", ["circle_id"])


def _create_sick_leave() -> None:
    op.create_table(
        "sick_leave",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("began_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("reported_at", MOMENT, nullable=False),
        sa.Column("waiting_days", sa.Integer(), nullable=False),
        sa.Column("longest_months", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.CheckConstraint("ended_on >= began_on", name="illnesses_end_later"),
        sa.CheckConstraint("waiting_days >= 0", name="waiting_times_are_not_negative"),
        sa.CheckConstraint("longest_months between 1 and 24", name="gifts_last_two_years_at_most"),
        sa.ForeignKeyConstraint(["membership_id"], ["circle_membership.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_illness_at_a_time",
        "sick_leave",
        ["membership_id"],
        unique=True,
        postgresql_where=sa.text("ended_on is null"),
    )
    op.create_index("sick_leave_by_membership", "sick_leave", ["membership_id", "began_on"])
    op.create_table(
        "sick_leave_confirmation",
        sa.Column("sick_leave_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=False),
        sa.Column("is_steward", sa.Boolean(), nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["sick_leave_id"], ["sick_leave.id"]),
        sa.ForeignKeyConstraint(["confirmed_by"], ["member.id"]),
        sa.PrimaryKeyConstraint("sick_leave_id", "confirmed_by"),
    )
    op.create_table(
        "sick_gift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sick_leave_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("full_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=True),
        sa.Column("paid_at", MOMENT, nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name="gifts_are_for_a_month"),
        sa.CheckConstraint("days between 1 and 31", name="gifts_are_for_days_of_a_month"),
        sa.CheckConstraint(
            "amount_minor between 0 and full_minor", name="gifts_are_never_above_the_full_one"
        ),
        sa.CheckConstraint(
            "(amount_minor = 0) = (journal_id is null)", name="gifts_have_a_journal"
        ),
        sa.ForeignKeyConstraint(["sick_leave_id"], ["sick_leave.id"]),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.UniqueConstraint("sick_leave_id", "month", name="one_gift_per_month"),
        sa.UniqueConstraint("journal_id", name="a_journal_is_of_one_gift"),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_months() -> None:
    op.create_table(
        "solidarity_contribution",
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("rate_bp", sa.Integer(), nullable=False),
        sa.Column("due_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name="contributions_are_for_a_month"),
        sa.CheckConstraint(
            "paid_minor between 0 and due_minor", name="nobody_contributes_more_than_is_due"
        ),
        sa.CheckConstraint(
            "(paid_minor = 0) = (journal_id is null)", name="contributions_have_a_journal"
        ),
        sa.ForeignKeyConstraint(["membership_id"], ["circle_membership.id"]),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.UniqueConstraint("journal_id", name="a_journal_is_of_one_contribution"),
        sa.PrimaryKeyConstraint("membership_id", "month"),
    )
    op.create_table(
        "solidarity_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("base_bp", sa.Integer(), nullable=False),
        sa.Column("most_bp", sa.Integer(), nullable=False),
        sa.Column("rate_bp", sa.Integer(), nullable=False),
        sa.Column("fund_minor", sa.BigInteger(), nullable=False),
        sa.Column("expected_claims_minor", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name="rates_are_for_a_month"),
        sa.CheckConstraint(
            "rate_bp between base_bp and greatest(base_bp, most_bp)", name="rates_are_as_voted"
        ),
        sa.PrimaryKeyConstraint("month"),
    )


def _create_guarantee() -> None:
    op.create_table(
        "guarantee",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("ride_id", sa.Uuid(), nullable=False),
        sa.Column("rider_id", sa.Uuid(), nullable=False),
        sa.Column("payment_minor", sa.BigInteger(), nullable=False),
        sa.Column("cap_minor", sa.BigInteger(), nullable=False),
        sa.Column("policy_version_id", sa.Uuid(), nullable=False),
        sa.Column("covered_minor", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=True),
        sa.Column("taken_over_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "covered_minor between 0 and least(payment_minor, cap_minor)",
            name="the_fund_covers_up_to_the_cap",
        ),
        sa.CheckConstraint(
            "(covered_minor = 0) = (journal_id is null)", name="guarantees_have_a_journal"
        ),
        sa.ForeignKeyConstraint(["ride_id"], ["ride.id"]),
        sa.ForeignKeyConstraint(["rider_id"], ["member.id"]),
        sa.ForeignKeyConstraint(["policy_version_id"], ["policy_version.id"]),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.UniqueConstraint("journal_id", name="a_journal_is_of_one_guarantee"),
        sa.PrimaryKeyConstraint("payment_id"),
    )
    op.create_index("guarantee_by_ride", "guarantee", ["ride_id"])
    op.create_index("guarantee_by_rider", "guarantee", ["rider_id"])
    op.create_table(
        "guarantee_return",
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="returns_are_positive"),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.ForeignKeyConstraint(["payment_id"], ["guarantee.payment_id"]),
        sa.PrimaryKeyConstraint("journal_id"),
    )
    op.create_index("guarantee_return_by_payment", "guarantee_return", ["payment_id"])
    op.create_table(
        "guarantee_write_off",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="write_offs_are_positive"),
        sa.CheckConstraint("length(reason) between 1 and 500", name="write_offs_have_a_reason"),
        sa.ForeignKeyConstraint(["payment_id"], ["guarantee.payment_id"]),
        sa.ForeignKeyConstraint(["decided_by"], ["member.id"]),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.UniqueConstraint("journal_id", name="a_journal_is_of_one_write_off"),
        sa.PrimaryKeyConstraint("payment_id"),
    )
