"""Keep each driver's newest hint where to wait.

Revision: hint_where_to_wait
Follows: find_shared_rides
"""

import sqlalchemy as sa
from alembic import op

revision = "hint_where_to_wait"
down_revision = "find_shared_rides"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "waiting_hint",
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lng", sa.Float(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("drive_s", sa.Integer(), nullable=False),
        sa.Column("expected_requests", sa.Float(), nullable=False),
        sa.Column("drivers_there", sa.Integer(), nullable=False),
        sa.Column("based_on", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("based_on in ('history', 'city')", name="what_hints_rest_on_is_known"),
        sa.CheckConstraint("good_until > made_at", name="hints_hold_a_while"),
        sa.ForeignKeyConstraint(["driver_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("driver_id"),
    )
    # It holds one row a driver and is the program's own: read, overwritten, forgotten.
    op.execute("grant select, insert, update, delete on waiting_hint to meent_app")


def downgrade() -> None:
    op.drop_table("waiting_hint")
