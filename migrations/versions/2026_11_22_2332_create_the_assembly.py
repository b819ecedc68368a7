"""Create the cooperative and its policies.

Revision: create_the_assembly
Follows: create_members
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "create_the_assembly"
down_revision = "create_members"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "cooperative",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("statutes_hash", sa.LargeBinary(), nullable=False),
        sa.Column("founded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("one", name="one_cooperative_per_database"),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("tally_id", sa.Uuid(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(source = 'tally') = (tally_id is not null)", name="a_voted_policy_names_its_tally"
        ),
        sa.CheckConstraint("source in ('founding', 'tally')", name="policies_come_from_a_decision"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", "effective_from", name="one_value_of_a_policy_at_a_moment"),
    )


def downgrade() -> None:
    op.drop_table("policy_version")
    op.drop_table("cooperative")
