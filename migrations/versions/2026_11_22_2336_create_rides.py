"""Create rides.

Revision: create_rides
Follows: create_drivers
"""

import sqlalchemy as sa
from alembic import op

revision = "create_rides"
down_revision = "create_drivers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "ride",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rider_id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=True),
        sa.Column("vehicle_id", sa.Uuid(), nullable=True),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("search_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_by is not null)", name="someone_cancels_a_ride"
        ),
        sa.CheckConstraint(
            "(state in ('assigned', 'arrived', 'under_way', 'completed', 'no_show')) <= (driver_id is not null)",
            name="a_driven_ride_has_a_driver",
        ),
        sa.CheckConstraint(
            "(state in ('completed', 'cancelled', 'no_driver', 'no_show')) = (ended_at is not null)",
            name="a_closed_ride_has_an_end",
        ),
        sa.CheckConstraint(
            "cancelled_by in ('rider', 'driver', 'dispatcher', 'platform')",
            name="cancelling_parties_are_known",
        ),
        sa.CheckConstraint(
            "state in ('requested', 'assigned', 'arrived', 'under_way', 'completed', 'cancelled', 'no_driver', 'no_show')",
            name="ride_states_are_known",
        ),
        sa.ForeignKeyConstraint(
            ["driver_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["hold.id"],
        ),
        sa.ForeignKeyConstraint(
            ["quote_id"],
            ["quote.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rider_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vehicle_id"],
            ["vehicle.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hold_id", name="a_hold_serves_one_ride"),
        sa.UniqueConstraint("quote_id", name="a_quote_is_booked_once"),
    )
    op.create_index(
        "one_open_ride_per_driver",
        "ride",
        ["driver_id"],
        unique=True,
        postgresql_where=sa.text("state in ('assigned', 'arrived', 'under_way')"),
    )
    op.create_index(
        "one_open_ride_per_rider",
        "ride",
        ["rider_id"],
        unique=True,
        postgresql_where=sa.text("state in ('requested', 'assigned', 'arrived', 'under_way')"),
    )
    op.create_index("ride_by_driver", "ride", ["driver_id", "id"], unique=False)
    op.create_index("ride_by_rider", "ride", ["rider_id", "id"], unique=False)
    op.create_index(
        "ride_waiting",
        "ride",
        ["requested_at"],
        unique=False,
        postgresql_where=sa.text("state = 'requested'"),
    )


def downgrade() -> None:
    op.drop_table("ride")
