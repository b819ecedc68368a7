"""Object to a count: by a receipt whose ballot is not in the box.

Revision: object_to_a_count
Follows: version_tariffs
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "object_to_a_count"
down_revision = "version_tariffs"
branch_labels = None
depends_on = None

APPEND_ONLY = ("objection",)


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


def downgrade() -> None:
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
