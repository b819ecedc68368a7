"""Create shifts and positions.

Revision: create_drivers
Follows: create_fares
"""

import sqlalchemy as sa
from alembic import op

revision = "create_drivers"
down_revision = "create_fares"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "shift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ended_at >= started_at", name="shifts_end_after_they_start"),
        sa.ForeignKeyConstraint(
            ["driver_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vehicle_id"],
            ["vehicle.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_shift_per_driver",
        "shift",
        ["driver_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index("shift_by_driver", "shift", ["driver_id", "started_at"], unique=False)
    op.create_table(
        "driver_position",
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lng", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["driver_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("driver_id"),
        postgresql_with={"fillfactor": "50"},
    )


def downgrade() -> None:
    op.drop_table("driver_position")
    op.drop_table("shift")
