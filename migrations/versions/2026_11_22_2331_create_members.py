"""Create members: sign-in, roles, papers and cars.

Revision: create_members
Follows: create_the_event_log
"""

import sqlalchemy as sa
from alembic import op

revision = "create_members"
down_revision = "create_the_event_log"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
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


def downgrade() -> None:
    op.drop_table("document")
    op.drop_table("vehicle")
    op.drop_table("driver_application")
    op.drop_table("suspension")
    op.drop_table("socket_ticket")
    op.drop_table("session")
    op.drop_table("sign_in_code")
    op.drop_table("member_role")
    op.drop_table("member")
