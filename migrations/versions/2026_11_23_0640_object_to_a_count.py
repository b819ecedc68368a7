"""Object to a count: by a receipt whose ballot is not in the box, or by two auditors.

Revision: object_to_a_count
Follows: close_periods
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "object_to_a_count"
down_revision = "close_periods"
branch_labels = None
depends_on = None

APPEND_ONLY = ("objection", "audit_stop", "audit_confirmation", "election_alarm")
OLD_ROLES = "'rider', 'driver', 'dispatcher', 'staff'"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    document = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "objection",
        sa.Column("election_id", sa.Uuid(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", document, nullable=False),
        sa.CheckConstraint("length(leaf) = 32", name="missing_leaves_are_whole"),
        sa.ForeignKeyConstraint(["election_id"], ["election.id"]),
        sa.PrimaryKeyConstraint("election_id", "leaf"),
    )
    op.create_table(
        "election_alarm",
        sa.Column("election_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('unreadable')", name="alarms_are_known"),
        sa.ForeignKeyConstraint(["election_id"], ["election.id"]),
        sa.PrimaryKeyConstraint("election_id", "kind"),
    )
    _create_audit()
    _replace_check("member_role", "roles_are_known", f"role in ({OLD_ROLES}, 'auditor')")
    op.execute(
        "alter table proposal add constraint only_texts_and_choices_are_open"
        " check (is_secret or kind in ('text', 'choice')) not valid"
    )
    for table in APPEND_ONLY:
        op.execute(f"grant select, insert on {table} to meent_app")
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )

    # In a transaction of its own: it reads whole tables, and locks nobody out meanwhile.
    with op.get_context().autocommit_block():
        op.execute("alter table proposal validate constraint only_texts_and_choices_are_open")
        op.execute("alter table member_role validate constraint roles_are_known")


def downgrade() -> None:
    op.execute("alter table proposal drop constraint only_texts_and_choices_are_open")
    op.execute("delete from member_role where role = 'auditor'")
    _replace_check("member_role", "roles_are_known", f"role in ({OLD_ROLES})")
    op.execute("alter table member_role validate constraint roles_are_known")
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)


def _create_audit() -> None:
    op.create_table(
        "audit_stop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("election_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(reason) between 20 and 2000", name="reasons_of_a_stop_are_of_some_length"
        ),
        sa.ForeignKeyConstraint(["election_id"], ["election.id"]),
        sa.ForeignKeyConstraint(["asked_by"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("election_id", "asked_by", name="an_auditor_asks_once_in_a_vote"),
        sa.UniqueConstraint("id", "asked_by", name="a_stop_is_of_one_auditor"),
    )
    op.create_table(
        "audit_confirmation",
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("confirmed_by <> asked_by", name="two_auditors_stop_a_vote"),
        sa.ForeignKeyConstraint(["stop_id", "asked_by"], ["audit_stop.id", "audit_stop.asked_by"]),
        sa.ForeignKeyConstraint(["confirmed_by"], ["member.id"]),
        sa.PrimaryKeyConstraint("stop_id"),
    )


def _replace_check(table: str, name: str, rule: str) -> None:
    """Nobody sees the table between the two; whoever widens a rule knows its old rows keep it."""
    op.execute(f"-- squawk-ignore ban-drop-constraint\nalter table {table} drop constraint {name}")
    op.execute(f"alter table {table} add constraint {name} check ({rule}) not valid")
