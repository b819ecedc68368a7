"""Create dispatch: ticks and offers.

Revision: create_dispatch
Follows: create_rides
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "create_dispatch"
down_revision = "create_rides"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "dispatch_tick",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("riders", sa.Integer(), nullable=False),
        sa.Column("drivers", sa.Integer(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("solver", sa.Text(), nullable=False),
        sa.Column("objective_ds", sa.BigInteger(), nullable=False),
        sa.Column("solve_ms", sa.Float(), nullable=False),
        sa.Column("tick_ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tick_id", sa.Uuid(), nullable=False),
        sa.Column("ride_id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pickup_s", sa.Integer(), nullable=False),
        sa.Column("pickup_m", sa.Integer(), nullable=False),
        sa.Column("explanation", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at is null)", name="a_closed_offer_has_an_end"
        ),
        sa.CheckConstraint(
            "state in ('open', 'accepted', 'declined', 'expired', 'withdrawn')",
            name="offer_states_are_known",
        ),
        sa.CheckConstraint("expires_at > offered_at", name="offers_last_a_while"),
        sa.ForeignKeyConstraint(
            ["driver_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["ride_id"],
            ["ride.id"],
        ),
        sa.ForeignKeyConstraint(
            ["tick_id"],
            ["dispatch_tick.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("offer_by_driver", "offer", ["driver_id", "id"], unique=False)
    op.create_index("offer_by_ride", "offer", ["ride_id", "driver_id"], unique=False)
    op.create_index(
        "offer_open_until",
        "offer",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "one_accepted_offer_per_ride_and_driver",
        "offer",
        ["ride_id", "driver_id"],
        unique=True,
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_index(
        "one_open_offer_per_driver",
        "offer",
        ["driver_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "one_open_offer_per_ride",
        "offer",
        ["ride_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_table("offer")
    op.drop_table("dispatch_tick")
