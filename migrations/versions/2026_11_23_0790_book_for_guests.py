"""Book for guests: who telephoned, their rides, and the text messages about them.

Revision: book_for_guests
Follows: publish_reports
"""

import sqlalchemy as sa
from alembic import op

revision = "book_for_guests"
down_revision = "publish_reports"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
RIGHTS = {
    "guest": "insert, update (name)",
    "guest_ride": "insert",
    "guest_text": "insert, update (tries, next_try_at, sent_at)",
}
# A booking is never edited; a guest's name and a text's tries are.
GUARDS = (
    ("guest", "is_never_deleted", "delete on guest for each row"),
    ("guest_ride", "is_append_only", "update or delete on guest_ride for each row"),
    ("guest_text", "is_never_deleted", "delete on guest_text for each row"),
    *((table, "is_never_emptied", f"truncate on {table} for each statement") for table in RIGHTS),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "guest",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("member_id", sa.Uuid(), sa.ForeignKey("member.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("registered_by", sa.Uuid(), sa.ForeignKey("member.id"), nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.CheckConstraint("length(name) between 1 and 80", name="guests_have_a_name"),
        sa.UniqueConstraint("member_id", name="one_guest_per_member"),
    )
    op.create_table(
        "guest_ride",
        sa.Column("ride_id", sa.Uuid(), sa.ForeignKey("ride.id"), primary_key=True),
        sa.Column("guest_id", sa.Uuid(), sa.ForeignKey("guest.id"), nullable=False),
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("contract_client.id"), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("booked_by", sa.Uuid(), sa.ForeignKey("member.id"), nullable=False),
        sa.Column("booked_at", MOMENT, nullable=False),
        sa.CheckConstraint("length(reference) between 1 and 80", name="references_say_something"),
    )
    op.create_index("guest_ride_by_time", "guest_ride", ["booked_at"])
    op.create_index("guest_ride_by_guest", "guest_ride", ["guest_id"])
    op.create_table(
        "guest_text",
        sa.Column("ride_id", sa.Uuid(), sa.ForeignKey("guest_ride.ride_id"), primary_key=True),
        sa.Column("state", sa.Text(), primary_key=True),
        sa.Column("happened_at", MOMENT, primary_key=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state in ('assigned', 'arrived', 'no_driver', 'cancelled')",
            name="guests_are_told_known_things",
        ),
        sa.CheckConstraint("tries between 0 and 5", name="texts_are_tried_so_often"),
        sa.CheckConstraint("sent_at >= happened_at", name="texts_follow_what_happened"),
    )
    op.create_index(
        "guest_text_unsent",
        "guest_text",
        ["next_try_at"],
        postgresql_where=sa.text("sent_at is null"),
    )
    for table, rights in RIGHTS.items():
        op.execute(f"grant select, {rights} on {table} to meent_app")
    for table, name, when in GUARDS:
        op.execute(f"create trigger {table}_{name} before {when} execute function refuse_change()")


def downgrade() -> None:
    for table in ("guest_text", "guest_ride", "guest"):
        op.drop_table(table)
