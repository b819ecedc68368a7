"""Price rides by rules that two people set, and keep how each ride was settled.

Revision: price_by_rules
Follows: open_partners_accounts
"""

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
}
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
    # In a transaction of its own: it reads the whole table, and locks nobody out meanwhile.
    with op.get_context().autocommit_block():
        for name in (*QUOTE_CHECKS, *NEW_QUOTE_CHECKS):
            op.execute(f"alter table quote validate constraint {name}")


def downgrade() -> None:
    op.drop_table("ride_settlement")
    for name, (rule, _) in QUOTE_CHECKS.items():
        _replace_quote_check(name, rule)
    for name in NEW_QUOTE_CHECKS:
        op.drop_constraint(name, "quote")
    for column in ("pass_through_minor", "remitted_minor"):
        op.drop_column("quote", column)


def _widen_quote() -> None:
    for column in ("pass_through_minor", "remitted_minor"):
        op.add_column("quote", sa.Column(column, MONEY, nullable=False, server_default="0"))
    for name, (_, rule) in QUOTE_CHECKS.items():
        _replace_quote_check(name, rule)
    for name, rule in NEW_QUOTE_CHECKS.items():
        op.execute(f"alter table quote add constraint {name} check ({rule}) not valid")


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
    op.execute("grant select, insert on ride_settlement to meent_app")
    op.execute(
        "create trigger ride_settlement_is_append_only before update or delete on ride_settlement"
        " for each row execute function refuse_change()"
    )
    op.execute(
        "create trigger ride_settlement_is_never_emptied before truncate on ride_settlement"
        " for each statement execute function refuse_change()"
    )
