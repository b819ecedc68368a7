"""Price rides by rules that two people set, and keep how each ride was settled.

Revision: price_by_rules
Follows: open_partners_accounts
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "price_by_rules"
down_revision = "open_partners_accounts"
branch_labels = None
depends_on = None

MONEY, MOMENT = sa.BigInteger(), sa.DateTime(timezone=True)
DOCUMENT = postgresql.JSONB(astext_type=sa.Text())

# What a quote may be: before, and from now on, where a part of a fare may only pass through.
QUOTE_CHECKS = {
    "a_fare_is_split_to_the_cent": (
        "commission_minor + driver_net_minor = fare_minor",
        "commission_minor + driver_net_minor + remitted_minor = fare_minor",
    ),
    "commission_is_the_share_rounded_down": (
        "commission_minor = fare_minor * commission_bp / 10000",
        "commission_minor = (fare_minor - pass_through_minor) * commission_bp / 10000",
    ),
}
NEW_QUOTE_CHECKS = {
    "what_passes_through_is_a_part": "remitted_minor between 0 and pass_through_minor"
    " and pass_through_minor <= fare_minor",
    "surge_is_at_most_the_voted_cap": "surge_bp between 10000 and surge_cap_bp",
    "a_wheelchair_costs_nothing": "with_wheelchair = (plain_fare_minor is not null)"
    " and coalesce(fare_minor <= plain_fare_minor, true)",
}
QUOTE_REFERENCES = {
    "surge_policy_version_id": "policy_version",
    "changes_quote_id": "quote",
}
TARIFF_CHECKS = {
    "two_people_set_a_tariff": "(proposed_by is null) = (released_by is null)"
    " and coalesce(proposed_by <> released_by, true)",
}
PROPOSAL_CHECKS = {
    "somebody_else_releases_a_tariff": "released_by <> proposed_by",
    "a_person_releases_tariffs": "(released_by is null) = (released_at is null)",
    "a_person_withdraws_tariffs": "(withdrawn_by is null) = (withdrawn_at is null)",
    "a_tariff_is_decided_once": "released_at is null or withdrawn_at is null",
    "tariffs_are_for_later": "effective_from > proposed_at"
    " and coalesce(effective_from > released_at, true)",
    "tariffs_have_a_reason": "length(reason) between 1 and 500",
}
CHANGE_CHECKS = {
    "changes_lapse_later": "expires_at > asked_at",
    "changes_are_accepted_in_time": "accepted_at >= asked_at and accepted_at < expires_at",
    "changes_end_once": "accepted_at is null or replaced_at is null",
    "changes_change_something": "quote_id <> from_quote_id",
}
RIGHTS = {
    "ride_settlement": "insert",
    "tariff_proposal": "insert, update (withdrawn_by, withdrawn_at)",
    "ride_change": "insert, update (accepted_at, replaced_at)",
}

# Founding writes the first tariff; the function differs by the rules that it keeps beside prices.
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
  {tariff}
  perform open_account(policy_ids[cardinality(policy_ids)], 'commission_income', null,
                       coop_currency, 0, at);
  perform open_account(uuidv7(), 'bank', null, coop_currency, 0, at);
end $$
"""
OLD_FIRST_TARIFF = """insert into tariff_version (id, effective_from, base_minor, per_km_minor,
      per_minute_minor, minimum_minor, free_wait_s, wait_per_minute_minor, shared_discount_bp)
    values (tariff_id, at, (tariff->>'base_minor')::bigint, (tariff->>'per_km_minor')::bigint,
            (tariff->>'per_minute_minor')::bigint, (tariff->>'minimum_minor')::bigint,
            (tariff->>'free_wait_s')::int, (tariff->>'wait_per_minute_minor')::bigint,
            (tariff->>'shared_discount_bp')::int);"""
NEW_FIRST_TARIFF = "perform write_tariff(tariff_id, at, tariff, null, null);"

# Prices that older releases know are columns, all else is one document of rules. Nobody but the
# two functions below calls it.
WRITE_TARIFF = """
create function write_tariff(
  tariff_id uuid, effective timestamptz, tariff jsonb, proposer uuid, releaser uuid
) returns void language sql security definer set search_path = public as $$
  insert into tariff_version (id, effective_from, base_minor, per_km_minor, per_minute_minor,
      minimum_minor, free_wait_s, wait_per_minute_minor, shared_discount_bp, rules, proposed_by,
      released_by)
    values (tariff_id, effective, (tariff->>'base_minor')::bigint,
      (tariff->>'per_km_minor')::bigint, (tariff->>'per_minute_minor')::bigint,
      (tariff->>'minimum_minor')::bigint, (tariff->>'free_wait_s')::int,
      (tariff->>'wait_per_minute_minor')::bigint, (tariff->>'shared_discount_bp')::int,
      tariff - array['base_minor', 'per_km_minor', 'per_minute_minor', 'minimum_minor',
        'free_wait_s', 'wait_per_minute_minor', 'shared_discount_bp'], proposer, releaser)
$$
"""

RELEASE_TARIFF = """
create function release_tariff(released uuid, person uuid, at timestamptz)
returns void language plpgsql security definer set search_path = public as $$
declare
  proposal tariff_proposal%rowtype;
begin
  select * into strict proposal from tariff_proposal where id = released for update;
  if proposal.released_at is not null or proposal.withdrawn_at is not null then
    raise exception 'tariff % was decided before', released using errcode = 'MN040';
  end if;
  update tariff_proposal set released_by = person, released_at = at where id = released;
  perform write_tariff(released, proposal.effective_from, proposal.document,
                       proposal.proposed_by, person);
end $$
"""
SETTLEMENT_CHECKS = {
    "settlements_are_of_a_kind": "kind in ('fare', 'fee')",
    "settlements_are_split_to_the_cent": "fare_minor = commission_minor + driver_net_minor"
    " + remitted_minor",
    "settled_commission_is_the_share_rounded_down": "commission_minor ="
    " (fare_minor - pass_through_minor) * commission_bp / 10000",
    "settlements_pass_a_part_through": "remitted_minor between 0 and pass_through_minor"
    " and pass_through_minor <= fare_minor",
    "settlements_are_positive": "fare_minor > 0"
    " and least(commission_minor, driver_net_minor, commission_bp, vat_bp, vat_minor) >= 0",
    "somebody_remits_vat": "vat_remitted_by in ('driver', 'cooperative', 'nobody')"
    " and (vat_remitted_by = 'nobody') = (vat_bp = 0) and (vat_bp > 0 or vat_minor = 0)"
    " and (vat_remitted_by <> 'cooperative' or vat_minor <= remitted_minor)",
}

NEW_QUOTE_COLUMNS: dict[str, tuple[Any, str | None]] = {
    "pass_through_minor": (MONEY, "0"),
    "remitted_minor": (MONEY, "0"),
    "terms": (DOCUMENT, "{}"),
    "surge_bp": (sa.Integer(), "10000"),
    "surge_cap_bp": (sa.Integer(), "10000"),
    "surge_policy_version_id": (sa.Uuid(), None),
    "with_wheelchair": (sa.Boolean(), "false"),
    "plain_fare_minor": (MONEY, None),
    "changes_quote_id": (sa.Uuid(), None),
}
WRITE_TARIFF_CALL = "write_tariff(uuid, timestamptz, jsonb, uuid, uuid)"
RELEASE_TARIFF_CALL = "release_tariff(uuid, uuid, timestamptz)"

# Rides of before were settled at their quote; nothing passed through and nobody wrote VAT down.
BACK_FILL = """
insert into ride_settlement (ride_id, kind, items, fare_minor, pass_through_minor, remitted_minor,
    commission_bp, commission_minor, driver_net_minor, vat_bp, vat_minor, vat_remitted_by,
    policy_version_id, journal_id, settled_at)
  select r.id, 'fare', q.items, q.fare_minor, 0, 0, q.commission_bp, q.commission_minor,
    q.driver_net_minor, 0, 0, 'nobody', q.policy_version_id, j.id, j.effective_at
  from ride r join quote q on q.id = r.quote_id
  join journal j on j.idem_scope = 'ride_fare' and j.idem_key = r.id::text
  where r.state = 'completed'
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _widen_quote()
    _create_settlement()
    _create_proposal()
    _create_change()
    for function in (WRITE_TARIFF, RELEASE_TARIFF):
        op.execute(function)
    op.execute(FOUND_COOPERATIVE.replace("{tariff}", NEW_FIRST_TARIFF))
    op.execute(f"revoke execute on function {WRITE_TARIFF_CALL}, {RELEASE_TARIFF_CALL} from public")
    op.execute(f"grant execute on function {RELEASE_TARIFF_CALL} to meent_app")
    _guard()
    # In a transaction of its own: it reads the whole table, and locks nobody out meanwhile.
    with op.get_context().autocommit_block():
        for name in (*QUOTE_CHECKS, *NEW_QUOTE_CHECKS):
            op.execute(f"alter table quote validate constraint {name}")
        for name in QUOTE_REFERENCES:
            op.execute(f"alter table quote validate constraint quote_{name}_fkey")
        for name in TARIFF_CHECKS:
            op.execute(f"alter table tariff_version validate constraint {name}")
        for name in ("proposed_by", "released_by"):
            op.execute(f"alter table tariff_version validate constraint tariff_version_{name}_fkey")


def downgrade() -> None:
    op.execute(FOUND_COOPERATIVE.replace("{tariff}", OLD_FIRST_TARIFF))
    for function in (RELEASE_TARIFF_CALL, WRITE_TARIFF_CALL):
        op.execute(f"drop function {function}")
    for table in ("ride_change", "tariff_proposal", "ride_settlement"):
        op.drop_table(table)
    for name in TARIFF_CHECKS:
        op.drop_constraint(name, "tariff_version")
    for column in ("rules", "proposed_by", "released_by"):
        op.drop_column("tariff_version", column)
    for name, (rule, _) in QUOTE_CHECKS.items():
        _replace_quote_check(name, rule)
    for name in NEW_QUOTE_CHECKS:
        op.drop_constraint(name, "quote")
    for column in NEW_QUOTE_COLUMNS:
        op.drop_column("quote", column)


def _widen_quote() -> None:
    for column, (kind, default) in NEW_QUOTE_COLUMNS.items():
        op.add_column(
            "quote", sa.Column(column, kind, nullable=default is None, server_default=default)
        )
    for column, table in QUOTE_REFERENCES.items():
        _reference("quote", column, table)
    op.add_column(
        "tariff_version", sa.Column("rules", DOCUMENT, nullable=False, server_default="{}")
    )
    for column in ("proposed_by", "released_by"):
        op.add_column("tariff_version", sa.Column(column, sa.Uuid(), nullable=True))
        _reference("tariff_version", column, "member")
    for name, rule in TARIFF_CHECKS.items():
        op.execute(f"alter table tariff_version add constraint {name} check ({rule}) not valid")
    for name, (_, rule) in QUOTE_CHECKS.items():
        _replace_quote_check(name, rule)
    for name, rule in NEW_QUOTE_CHECKS.items():
        op.execute(f"alter table quote add constraint {name} check ({rule}) not valid")


def _reference(table: str, column: str, target: str) -> None:
    op.execute(
        f"alter table {table} add constraint {table}_{column}_fkey foreign key ({column})"
        f" references {target} (id) not valid"
    )


def _replace_quote_check(name: str, rule: str) -> None:
    """Nobody sees the table between the two; old rows keep either rule, since theirs are zero."""
    op.execute(f"-- squawk-ignore ban-drop-constraint\nalter table quote drop constraint {name}")
    op.execute(f"alter table quote add constraint {name} check ({rule}) not valid")


def _create_settlement() -> None:
    op.create_table(
        "ride_settlement",
        sa.Column("ride_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("items", DOCUMENT, nullable=False),
        *(
            sa.Column(name, MONEY, nullable=False)
            for name in ("fare_minor", "pass_through_minor", "remitted_minor")
        ),
        sa.Column("commission_bp", sa.Integer(), nullable=False),
        sa.Column("commission_minor", MONEY, nullable=False),
        sa.Column("driver_net_minor", MONEY, nullable=False),
        sa.Column("vat_bp", sa.Integer(), nullable=False),
        sa.Column("vat_minor", MONEY, nullable=False),
        sa.Column("vat_remitted_by", sa.Text(), nullable=False),
        sa.Column("policy_version_id", sa.Uuid(), nullable=False),
        sa.Column("journal_id", MONEY, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=False),
        *(sa.CheckConstraint(rule, name=name) for name, rule in SETTLEMENT_CHECKS.items()),
        sa.ForeignKeyConstraint(["ride_id"], ["ride.id"]),
        sa.ForeignKeyConstraint(["policy_version_id"], ["policy_version.id"]),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.PrimaryKeyConstraint("ride_id"),
        sa.UniqueConstraint("journal_id", name="a_journal_settles_one_ride"),
    )
    op.create_index("ride_settlement_by_time", "ride_settlement", ["settled_at"])
    op.execute(BACK_FILL)


def _create_proposal() -> None:
    op.create_table(
        "tariff_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_from", MOMENT, nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        *(sa.CheckConstraint(rule, name=name) for name, rule in PROPOSAL_CHECKS.items()),
        *(
            sa.ForeignKeyConstraint([column], ["member.id"])
            for column in ("proposed_by", "released_by", "withdrawn_by")
        ),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_change() -> None:
    op.create_table(
        "ride_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ride_id", sa.Uuid(), nullable=False),
        sa.Column("from_quote_id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("accepted_at", MOMENT, nullable=True),
        sa.Column("replaced_at", MOMENT, nullable=True),
        *(sa.CheckConstraint(rule, name=name) for name, rule in CHANGE_CHECKS.items()),
        sa.ForeignKeyConstraint(["ride_id"], ["ride.id"]),
        sa.ForeignKeyConstraint(["from_quote_id"], ["quote.id"]),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("quote_id", name="a_quote_is_of_one_change"),
    )
    op.create_index(
        "one_open_change_per_ride",
        "ride_change",
        ["ride_id"],
        unique=True,
        postgresql_where=sa.text("accepted_at is null and replaced_at is null"),
    )
    op.create_index("ride_change_by_ride", "ride_change", ["ride_id", "id"])
    op.create_index("ride_change_from_quote", "ride_change", ["from_quote_id"])


def _guard() -> None:
    for table, rights in RIGHTS.items():
        op.execute(f"grant select, {rights} on {table} to meent_app")
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )
    for table in ("tariff_proposal", "ride_change"):
        op.execute(
            f"create trigger {table}_keeps_its_history before update on {table}"
            " for each row execute function keep_history()"
        )
        op.execute(
            f"create trigger {table}_is_never_deleted before delete on {table}"
            " for each row execute function refuse_change()"
        )
    op.execute(
        "create trigger ride_settlement_is_append_only before update or delete on ride_settlement"
        " for each row execute function refuse_change()"
    )
