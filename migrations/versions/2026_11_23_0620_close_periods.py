"""Close a period and share its surplus out.

Revision: close_periods
Follows: pay_drivers_out
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "close_periods"
down_revision = "pay_drivers_out"
branch_labels = None
depends_on = None

TABLES = ("surplus_draft", "surplus_period", "member_refund", "capital_redemption")

# Written down once, as what a city file that leaves them out is founded with.
ADD_FIGURES = """
insert into policy_version (id, key, value, effective_from, source)
  select uuidv7(), figure.key, figure.value, c.founded_at, 'founding'
  from cooperative c cross join (values
    ('legal_form', '"ica"'::jsonb), ('refund_cash_bp', '2000'), ('losses', '"carried"'))
    as figure(key, value)
"""

# One more reason why money moves; every other stays.
ADD_KIND = """
do $$ declare
  rule text;
begin
  select pg_get_constraintdef(oid) into strict rule from pg_constraint
    where conname = 'journal_kinds_are_known';
  alter table journal drop constraint journal_kinds_are_known;
  execute 'alter table journal add constraint journal_kinds_are_known '
    || replace(rule, '''ride_fare''::text', '''capital_redemption''::text, ''ride_fare''::text')
    || ' not valid';
end $$
"""
DROP_KIND = """
do $$ declare
  rule text;
begin
  select pg_get_constraintdef(oid) into strict rule from pg_constraint
    where conname = 'journal_kinds_are_known';
  alter table journal drop constraint journal_kinds_are_known;
  execute 'alter table journal add constraint journal_kinds_are_known '
    || replace(rule, '''capital_redemption''::text, ', '');
end $$
"""

# The keys bind a member's refund once; this keeps paying back below what there is.
KEEP_CAPITAL = """
create function keep_capital() returns trigger language plpgsql security definer
set search_path = public as $$
declare
  credited bigint;
begin
  select capital_minor into strict credited from member_refund
    where period_id = new.period_id and member_id = new.member_id for update;
  if (select sum(amount_minor) from capital_redemption
      where period_id = new.period_id and member_id = new.member_id) > credited then
    raise exception 'more capital is paid back than was credited' using errcode = 'MN060';
  end if;
  return null;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _create_periods()
    _create_refunds()
    op.execute(KEEP_CAPITAL)
    op.execute("revoke execute on function keep_capital() from public")
    op.execute(
        "create trigger capital_is_paid_back_once after insert on capital_redemption"
        " for each row execute function keep_capital()"
    )
    for table in TABLES:
        op.execute(f"grant select, insert on {table} to meent_app")
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )
    op.execute(ADD_KIND)
    op.execute(ADD_FIGURES)
    with op.get_context().autocommit_block():
        op.execute("alter table journal validate constraint journal_kinds_are_known")


def downgrade() -> None:
    """Refused by the database once capital was paid back; what was founded stays founded."""
    op.execute(DROP_KIND)
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("drop function keep_capital()")


def _create_periods() -> None:
    moment = sa.DateTime(timezone=True)
    steps = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "surplus_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("steps", steps, nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=False),
        sa.Column("prepared_at", moment, nullable=False),
        sa.CheckConstraint("until > since", name="prepared_periods_last"),
        sa.CheckConstraint("until <= prepared_at", name="periods_are_prepared_after_their_end"),
        sa.ForeignKeyConstraint(["prepared_by"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "surplus_period",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("follows", moment, nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("steps", steps, nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("operator", sa.Text(), nullable=True),
        sa.Column("closed_at", moment, nullable=False),
        sa.CheckConstraint("until > since", name="periods_last"),
        sa.CheckConstraint("follows = since", name="periods_follow_without_a_gap"),
        sa.CheckConstraint(
            "(operator is null) = (prepared_by is not null)"
            " and (operator is null) = (confirmed_by is not null)"
            " and coalesce(prepared_by <> confirmed_by, true)",
            name="two_people_close_a_period",
        ),
        sa.CheckConstraint("length(operator) between 1 and 200", name="operators_give_a_name"),
        sa.ForeignKeyConstraint(["until"], ["period_lock.until"]),
        sa.ForeignKeyConstraint(["follows"], ["surplus_period.until"]),
        sa.ForeignKeyConstraint(["prepared_by"], ["member.id"]),
        sa.ForeignKeyConstraint(["confirmed_by"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("until", name="a_period_is_closed_once"),
        sa.UniqueConstraint(
            "follows", name="one_period_after_another", postgresql_nulls_not_distinct=True
        ),
    )


def _create_refunds() -> None:
    op.create_table(
        "member_refund",
        sa.Column("period_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("commission_minor", sa.BigInteger(), nullable=False),
        sa.Column("engaged_s", sa.BigInteger(), nullable=False),
        sa.Column("cash_minor", sa.BigInteger(), nullable=False),
        sa.Column("capital_minor", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "cash_minor >= 0 and capital_minor >= 0 and cash_minor + capital_minor > 0",
            name="refunds_are_positive",
        ),
        sa.ForeignKeyConstraint(["period_id"], ["surplus_period.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.PrimaryKeyConstraint("period_id", "member_id"),
        sa.UniqueConstraint("journal_id", name="a_refund_has_its_own_journal"),
    )
    op.create_index("member_refund_by_member", "member_refund", ["member_id", "period_id"])
    op.create_table(
        "capital_redemption",
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("period_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_by", sa.Uuid(), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="redemptions_are_positive"),
        sa.CheckConstraint("redeemed_by <> member_id", name="nobody_redeems_their_own_capital"),
        sa.ForeignKeyConstraint(
            ["period_id", "member_id"], ["member_refund.period_id", "member_refund.member_id"]
        ),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.ForeignKeyConstraint(["redeemed_by"], ["member.id"]),
        sa.PrimaryKeyConstraint("journal_id", "period_id"),
    )
    op.create_index("capital_redemption_by_lot", "capital_redemption", ["member_id", "period_id"])
