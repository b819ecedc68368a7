"""Register the members: who belongs to which house, with which share and which key.

Revision: register_members
Follows: watch_rides_begin_again
"""

import sqlalchemy as sa
from alembic import op

revision = "register_members"
down_revision = "watch_rides_begin_again"
branch_labels = None
depends_on = None

ACCOUNTS = "'rider', 'driver', 'commission_income'"
JOURNALS = "'ride_fare', 'reversal'"
MEMBERSHIP_CHECKS = {
    "houses_are_known": "house in ('drivers', 'riders')",
    "shares_are_not_negative": "shares_minor >= 0",
    "somebody_else_books_a_share": "shares_booked_by <> member_id",
    "a_booked_share_is_paid": "shares_booked_by is null or shares_paid_at is not null",
    "a_person_admits_members": "(admitted_at is null) = (admitted_by is null)",
    "nobody_admits_themselves_as_member": "admitted_by <> member_id",
    "who_is_admitted_has_paid": "admitted_at is null or coalesce(shares_paid_at <= admitted_at, false)",
    "a_person_refuses_members": "(refused_at is null) = (refused_by is null)",
    "nobody_refuses_themselves": "refused_by <> member_id",
    "refused_members_read_why": (
        "(refused_at is null) = (reason is null) and coalesce(length(reason) >= 10, true)"
    ),
    "a_membership_is_decided_once": "admitted_at is null or refused_at is null",
    "who_was_refused_did_not_leave": "refused_at is null or left_at is null",
    "members_leave_after_they_came": "left_at >= coalesce(admitted_at, applied_at)",
}
# What becomes of a membership is added to its row; what it began with stays as it was.
MEMBERSHIP_UPDATES = (
    "shares_paid_at, shares_booked_by, admitted_at, admitted_by, refused_at, refused_by, reason,"
    " left_at, last_active_at"
)

# What a row once said stays; only what was open is added, and the day of the last activity moves.
KEEP_HISTORY = """
create function keep_history() returns trigger language plpgsql set search_path = public as $$
begin
  if not jsonb_strip_nulls(to_jsonb(old) - 'last_active_at') <@ to_jsonb(new) then
    raise exception '% keeps its history: what was decided stays', tg_table_name
      using errcode = 'MN006';
  end if;
  return new;
end $$
"""

FOUND_COOPERATIVE = """
create or replace function found_cooperative(
  coop_name text, coop_currency text, zone text, statutes jsonb, policy_ids uuid[],
  tariff_id uuid, tariff jsonb, print bytea, at timestamptz
) returns void language plpgsql security definer set search_path = public as $$
begin
  -- The primary key of cooperative lets this happen once; afterwards only a tally writes policies.
  insert into cooperative (one, name, currency, time_zone, statutes_hash, founded_at)
    values (true, coop_name, coop_currency, zone, print, at);
  insert into policy_version (id, key, value, effective_from, source)
    select policy_ids[s.n], s.key, s.value, at, 'founding'
    from jsonb_each(statutes) with ordinality as s(key, value, n);
  insert into tariff_version (id, effective_from, base_minor, per_km_minor, per_minute_minor,
                              minimum_minor, free_wait_s, wait_per_minute_minor,
                              shared_discount_bp)
    values (tariff_id, at, (tariff->>'base_minor')::bigint, (tariff->>'per_km_minor')::bigint,
            (tariff->>'per_minute_minor')::bigint, (tariff->>'minimum_minor')::bigint,
            (tariff->>'free_wait_s')::int, (tariff->>'wait_per_minute_minor')::bigint,
            (tariff->>'shared_discount_bp')::int);
  perform open_account(policy_ids[cardinality(policy_ids)], 'commission_income', null,
                       coop_currency, 0, at);{bank}
end $$
"""
OPEN_BANK = """
  perform open_account(uuidv7(), 'bank', null, coop_currency, 0, at);"""

# A cooperative founded before has no figures for what the assembly needs. They are written down
# once, as what a city file that leaves them out is founded with, so that no later release of the
# program changes a cooperative's statutes.
ADD_FIGURES = """
insert into policy_version (id, key, value, effective_from, source)
  select uuidv7(), figure.key, figure.value, c.founded_at, 'founding'
  from cooperative c cross join (values
    ('support_s', '1209600'::jsonb), ('deliberation_s', '1209600'), ('signing_s', '172800'),
    ('credentials_s', '259200'), ('voting_s', '604800'), ('counting_s', '172800'),
    ('waiting_s', '0'), ('active_for_s', '7776000'), ('quorum_bp', '2000'), ('support_bp', '300'),
    ('least_supporters', '5'), ('share_drivers_minor', '10000'), ('share_riders_minor', '2000'),
    ('panel_size', '12'), ('text_majority', '[2, 3]'), ('reserve_bp', '2000'),
    ('education_bp', '500'), ('patronage_hours_bp', '5000')) as figure(key, value)
  union all
  select uuidv7(), figure.key, to_jsonb(greatest(figure.least_s, 86400 * older.value::text::int)),
    c.founded_at, 'founding'
  from cooperative c cross join (values
    ('notice_s', 'notice_days', 0), ('objection_s', 'objection_days', 1))
    as figure(key, older_key, least_s)
  join policy_version older on older.key = figure.older_key
    and older.effective_from = c.founded_at
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _create_membership()
    _create_member_key()
    op.execute(KEEP_HISTORY)
    op.execute("revoke execute on function keep_history() from public")
    for table in ("membership", "member_key"):
        op.execute(
            f"create trigger {table}_keeps_its_history before update on {table}"
            " for each row execute function keep_history()"
        )
        op.execute(
            f"create trigger {table}_is_never_deleted before delete on {table}"
            " for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )
    _kinds("account", "account_kinds_are_known", f"{ACCOUNTS}, 'bank', 'member_share'")
    _kinds("journal", "journal_kinds_are_known", f"{JOURNALS}, 'member_share'")
    op.execute(FOUND_COOPERATIVE.format(bank=OPEN_BANK))
    op.execute(
        "select open_account(uuidv7(), 'bank', null, currency, 0, founded_at) from cooperative"
    )
    op.execute(ADD_FIGURES)


def downgrade() -> None:
    """Refused by the database once a cooperative was founded: its bank account is in the books."""
    for table, kinds in (("account", ACCOUNTS), ("journal", JOURNALS)):
        _kinds(table, f"{table}_kinds_are_known", kinds)
        op.execute(f"alter table {table} validate constraint {table}_kinds_are_known")
    op.execute(FOUND_COOPERATIVE.format(bank=""))
    op.drop_table("member_key")
    op.drop_table("membership")
    op.execute("drop function keep_history()")


def _create_membership() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("house", sa.Text(), nullable=False),
        sa.Column("shares_minor", sa.BigInteger(), nullable=False),
        sa.Column("applied_at", moment, nullable=False),
        sa.Column("shares_paid_at", moment, nullable=True),
        sa.Column("shares_booked_by", sa.Uuid(), nullable=True),
        sa.Column("admitted_at", moment, nullable=True),
        sa.Column("admitted_by", sa.Uuid(), nullable=True),
        sa.Column("refused_at", moment, nullable=True),
        sa.Column("refused_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("left_at", moment, nullable=True),
        sa.Column("last_active_at", moment, nullable=False),
        *(sa.CheckConstraint(rule, name=name) for name, rule in MEMBERSHIP_CHECKS.items()),
        *(
            sa.ForeignKeyConstraint([column], ["member.id"])
            for column in ("member_id", "shares_booked_by", "admitted_by", "refused_by")
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_membership_per_member",
        "membership",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("refused_at is null and left_at is null"),
    )
    op.create_index("membership_by_member", "membership", ["member_id", "id"])
    op.execute("grant select, insert on membership to meent_app")
    op.execute(f"grant update ({MEMBERSHIP_UPDATES}) on membership to meent_app")


def _create_member_key() -> None:
    op.create_table(
        "member_key",
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(public_key) = 32", name="member_keys_are_ed25519"),
        sa.CheckConstraint("replaced_at >= set_at", name="keys_are_replaced_after_they_were_set"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        # A key is one member's, also when it was replaced long ago.
        sa.PrimaryKeyConstraint("public_key"),
    )
    op.create_index(
        "one_current_key_per_member",
        "member_key",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at is null"),
    )
    op.execute("grant select, insert on member_key to meent_app")
    op.execute("grant update (replaced_at) on member_key to meent_app")


def _kinds(table: str, name: str, kinds: str) -> None:
    """Let a table have more kinds of rows; old rows kept a narrower rule already."""
    # Nobody sees the table between the two: they are one transaction.
    op.execute(f"-- squawk-ignore ban-drop-constraint\nalter table {table} drop constraint {name}")
    op.execute(f"alter table {table} add constraint {name} check (kind in ({kinds})) not valid")
