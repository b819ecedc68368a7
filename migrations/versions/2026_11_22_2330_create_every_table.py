"""Create every table.

Revision: create_every_table
Follows:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "create_every_table"
down_revision = None
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
        "event_log",
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("stream_id", "seq"),
    )
    op.create_table(
        "event_stream",
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("last_seq > 0", name="streams_count_from_one"),
        sa.PrimaryKeyConstraint("stream_id"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(key) between 1 and 255", name="keys_are_short"),
        sa.PrimaryKeyConstraint("actor_id", "key"),
    )
    op.create_index("idempotency_key_by_age", "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("phone ~ '^\\+[1-9][0-9]{6,14}$'", name="phones_are_e164"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("phone", name="one_member_per_phone"),
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
    op.create_table(
        "sign_in_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tries between 0 and 5", name="five_tries_at_most"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "sign_in_code_by_address", "sign_in_code", ["address_hash", "sent_at"], unique=False
    )
    op.create_index(
        "sign_in_code_by_phone", "sign_in_code", ["phone_hash", "sent_at"], unique=False
    )
    op.create_index("sign_in_code_by_prefix", "sign_in_code", ["prefix", "sent_at"], unique=False)
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
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currencies_are_iso_4217"),
        sa.CheckConstraint(
            "kind in ('rider', 'driver', 'commission_income')", name="account_kinds_are_known"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "currency", name="accounts_have_one_currency"),
    )
    op.create_index(
        "one_account_of_a_kind_per_member",
        "account",
        ["member_id", "kind"],
        unique=True,
        postgresql_where=sa.text("member_id is not null"),
    )
    op.create_index(
        "one_house_account_of_a_kind",
        "account",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("member_id is null"),
    )
    op.create_table(
        "driver_application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'submitted') = (decided_by is null)", name="a_person_decides_applications"
        ),
        sa.CheckConstraint(
            "state <> 'refused' or length(reason) >= 10", name="refusals_have_a_reason"
        ),
        sa.CheckConstraint(
            "state in ('submitted', 'admitted', 'refused')", name="application_states_are_known"
        ),
        sa.CheckConstraint("decided_by <> member_id", name="nobody_admits_themselves"),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "driver_application_by_state", "driver_application", ["state", "id"], unique=False
    )
    op.create_index(
        "one_open_application_per_member",
        "driver_application",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("state in ('submitted', 'admitted')"),
    )
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
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("idem_scope", sa.Text(), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("policy_version_id", sa.Uuid(), nullable=True),
        sa.Column("reverses", sa.BigInteger(), nullable=True),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("kind in ('ride_fare', 'reversal')", name="journal_kinds_are_known"),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reverses"],
            ["journal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idem_scope", "idem_key", name="a_journal_is_posted_once"),
        sa.UniqueConstraint("reverses", name="a_journal_is_reversed_once"),
    )
    op.create_index("journal_by_subject", "journal", ["subject_id"], unique=False)
    op.create_table(
        "member_role",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "role in ('rider', 'driver', 'dispatcher', 'staff')", name="roles_are_known"
        ),
        sa.ForeignKeyConstraint(
            ["granted_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", "role"),
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
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("access_hash", sa.LargeBinary(), nullable=False),
        sa.Column("access_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("access_hash", name="access_tokens_differ"),
        sa.UniqueConstraint("refresh_hash", name="refresh_tokens_differ"),
    )
    op.create_index("session_by_member", "session", ["member_id"], unique=False)
    op.create_table(
        "suspension",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("by_member_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(lifted_at is null) = (lifted_by is null)", name="a_person_lifts_a_suspension"
        ),
        sa.CheckConstraint("by_member_id <> member_id", name="nobody_suspends_themselves"),
        sa.CheckConstraint("length(reason) >= 10", name="suspensions_have_a_reason"),
        sa.ForeignKeyConstraint(
            ["by_member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["lifted_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_suspension_per_member",
        "suspension",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at is null"),
    )
    op.create_table(
        "balance",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("posted_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lowest_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("held_minor >= 0", name="holds_are_not_negative"),
        sa.CheckConstraint(
            "posted_minor - held_minor >= lowest_minor", name="never_below_the_limit"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("account_id"),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "kind in ('driving_licence', 'passenger_insurance', 'vehicle_inspection')",
            name="document_kinds_are_known",
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["driver_application.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("application_id", "kind", name="one_document_of_a_kind"),
    )
    op.create_index("document_by_member", "document", ["member_id", "kind"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="holds_are_positive"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("hold_by_account", "hold", ["account_id"], unique=False)
    op.create_table(
        "socket_ticket",
        sa.Column("ticket_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
        ),
        sa.PrimaryKeyConstraint("ticket_hash"),
    )
    op.create_table(
        "transfer",
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("debit_id", sa.Uuid(), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="transfers_are_positive"),
        sa.CheckConstraint("debit_id <> credit_id", name="transfers_go_somewhere"),
        sa.ForeignKeyConstraint(
            ["credit_id", "currency"],
            ["account.id", "account.currency"],
            name="credits_keep_currency",
        ),
        sa.ForeignKeyConstraint(
            ["debit_id", "currency"],
            ["account.id", "account.currency"],
            name="debits_keep_currency",
        ),
        sa.ForeignKeyConstraint(
            ["journal_id"],
            ["journal.id"],
        ),
        sa.PrimaryKeyConstraint("journal_id", "line"),
    )
    op.create_index("transfer_by_credit", "transfer", ["credit_id", "journal_id"], unique=False)
    op.create_index("transfer_by_debit", "transfer", ["debit_id", "journal_id"], unique=False)
    op.create_table(
        "vehicle",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("make", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.CheckConstraint("seats between 1 and 8", name="cars_have_one_to_eight_seats"),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["driver_application.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("vehicle_by_member", "vehicle", ["member_id"], unique=False)
    op.create_table(
        "hold_end",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'posted') = (journal_id is not null)", name="posted_holds_have_a_journal"
        ),
        sa.CheckConstraint("outcome in ('posted', 'voided')", name="hold_outcomes_are_known"),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["hold.id"],
        ),
        sa.ForeignKeyConstraint(
            ["journal_id"],
            ["journal.id"],
        ),
        sa.PrimaryKeyConstraint("hold_id"),
    )
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
    op.drop_index(
        "one_open_offer_per_ride", table_name="offer", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_index(
        "one_open_offer_per_driver", table_name="offer", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_index(
        "one_accepted_offer_per_ride_and_driver",
        table_name="offer",
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.drop_index(
        "offer_open_until", table_name="offer", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_index("offer_by_ride", table_name="offer")
    op.drop_index("offer_by_driver", table_name="offer")
    op.drop_table("offer")
    op.drop_index("shift_by_driver", table_name="shift")
    op.drop_index(
        "one_open_shift_per_driver",
        table_name="shift",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.drop_table("shift")
    op.drop_index(
        "ride_waiting", table_name="ride", postgresql_where=sa.text("state = 'requested'")
    )
    op.drop_index("ride_by_rider", table_name="ride")
    op.drop_index("ride_by_driver", table_name="ride")
    op.drop_index(
        "one_open_ride_per_rider",
        table_name="ride",
        postgresql_where=sa.text("state in ('requested', 'assigned', 'arrived', 'under_way')"),
    )
    op.drop_index(
        "one_open_ride_per_driver",
        table_name="ride",
        postgresql_where=sa.text("state in ('assigned', 'arrived', 'under_way')"),
    )
    op.drop_table("ride")
    op.drop_table("hold_end")
    op.drop_index("vehicle_by_member", table_name="vehicle")
    op.drop_table("vehicle")
    op.drop_index("transfer_by_debit", table_name="transfer")
    op.drop_index("transfer_by_credit", table_name="transfer")
    op.drop_table("transfer")
    op.drop_table("socket_ticket")
    op.drop_index("hold_by_account", table_name="hold")
    op.drop_table("hold")
    op.drop_index("document_by_member", table_name="document")
    op.drop_table("document")
    op.drop_table("balance")
    op.drop_index(
        "one_open_suspension_per_member",
        table_name="suspension",
        postgresql_where=sa.text("lifted_at is null"),
    )
    op.drop_table("suspension")
    op.drop_index("session_by_member", table_name="session")
    op.drop_table("session")
    op.drop_index("quote_by_age", table_name="quote")
    op.drop_table("quote")
    op.drop_table("member_role")
    op.drop_index("journal_by_subject", table_name="journal")
    op.drop_table("journal")
    op.drop_table("driver_position")
    op.drop_index(
        "one_open_application_per_member",
        table_name="driver_application",
        postgresql_where=sa.text("state in ('submitted', 'admitted')"),
    )
    op.drop_index("driver_application_by_state", table_name="driver_application")
    op.drop_table("driver_application")
    op.drop_index(
        "one_house_account_of_a_kind",
        table_name="account",
        postgresql_where=sa.text("member_id is null"),
    )
    op.drop_index(
        "one_account_of_a_kind_per_member",
        table_name="account",
        postgresql_where=sa.text("member_id is not null"),
    )
    op.drop_table("account")
    op.drop_table("tariff_version")
    op.drop_index("sign_in_code_by_prefix", table_name="sign_in_code")
    op.drop_index("sign_in_code_by_phone", table_name="sign_in_code")
    op.drop_index("sign_in_code_by_address", table_name="sign_in_code")
    op.drop_table("sign_in_code")
    op.drop_table("policy_version")
    op.drop_table("member")
    op.drop_index("idempotency_key_by_age", table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("event_stream")
    op.drop_table("event_log")
    op.drop_table("dispatch_tick")
    op.drop_table("cooperative")
    op.drop_table("calibration")
