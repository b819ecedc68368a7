"""Create tariffs, quotes and the calibration of travel times.

Revision: create_fares
Follows: create_the_ledger
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "create_fares"
down_revision = "create_the_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "calibration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("constant_s", sa.Float(), nullable=False),
        sa.Column("factor", sa.Float(), nullable=False),
        sa.Column("hour_of_week", sa.ARRAY(sa.Float()), nullable=False),
        sa.Column("rides", sa.Integer(), nullable=False),
        sa.Column("first_ride_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_ride_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cardinality(hour_of_week) = 168 and array_position(hour_of_week, null) is null",
            name="a_week_has_168_hours",
        ),
        sa.CheckConstraint(
            "constant_s >= 0 and factor >= 0 and 0 < all (hour_of_week)",
            name="no_drive_takes_negative_time",
        ),
        sa.CheckConstraint(
            "rides > 0 and first_ride_at <= last_ride_at", name="a_fit_rests_on_rides"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "tariff_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base_minor", sa.BigInteger(), nullable=False),
        sa.Column("per_km_minor", sa.BigInteger(), nullable=False),
        sa.Column("per_minute_minor", sa.BigInteger(), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("free_wait_s", sa.Integer(), nullable=False),
        sa.Column("wait_per_minute_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "least(base_minor, per_km_minor, per_minute_minor, minimum_minor, free_wait_s, wait_per_minute_minor) >= 0",
            name="prices_are_not_negative",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("effective_from", name="one_tariff_at_a_moment"),
    )
    op.create_table(
        "quote",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rider_id", sa.Uuid(), nullable=False),
        sa.Column("pickup_lat", sa.Float(), nullable=False),
        sa.Column("pickup_lng", sa.Float(), nullable=False),
        sa.Column("pickup_name", sa.Text(), nullable=False),
        sa.Column("dropoff_lat", sa.Float(), nullable=False),
        sa.Column("dropoff_lng", sa.Float(), nullable=False),
        sa.Column("dropoff_name", sa.Text(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=False),
        sa.Column("engine_s", sa.Float(), nullable=True),
        sa.Column("is_estimate", sa.Boolean(), nullable=False),
        sa.Column("pickup_eta_s", sa.Integer(), nullable=True),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("fare_minor", sa.BigInteger(), nullable=False),
        sa.Column("commission_bp", sa.Integer(), nullable=False),
        sa.Column("commission_minor", sa.BigInteger(), nullable=False),
        sa.Column("driver_net_minor", sa.BigInteger(), nullable=False),
        sa.Column("policy_version_id", sa.Uuid(), nullable=False),
        sa.Column("tariff_version_id", sa.Uuid(), nullable=False),
        sa.Column("quoted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "commission_minor + driver_net_minor = fare_minor", name="a_fare_is_split_to_the_cent"
        ),
        sa.CheckConstraint(
            "commission_minor = fare_minor * commission_bp / 10000",
            name="commission_is_the_share_rounded_down",
        ),
        sa.CheckConstraint("expires_at > quoted_at", name="quotes_last_a_while"),
        sa.CheckConstraint(
            "fare_minor > 0 and commission_minor >= 0 and driver_net_minor >= 0",
            name="fares_are_positive",
        ),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rider_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["tariff_version_id"],
            ["tariff_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("quote_by_age", "quote", ["quoted_at"], unique=False)


def downgrade() -> None:
    op.drop_table("quote")
    op.drop_table("tariff_version")
    op.drop_table("calibration")
