"""Let rides be booked ahead: a wished pickup time on the quote, a pickup window on the ride.

Revision: schedule_rides
Follows: store_dispatch_inputs
"""

import sqlalchemy as sa
from alembic import op

revision = "schedule_rides"
down_revision = "store_dispatch_inputs"
branch_labels = None
depends_on = None

STATES = (
    "requested",
    "assigned",
    "arrived",
    "under_way",
    "completed",
    "cancelled",
    "no_driver",
    "no_show",
)
RIDE_CHECKS = {
    "a_scheduled_ride_has_a_window": "(state = 'scheduled') <= (pickup_from is not null)",
    "a_window_opens_and_then_closes": (
        "(pickup_from is null) = (pickup_until is null)"
        " and coalesce(pickup_until > pickup_from, true)"
    ),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.add_column("quote", sa.Column("pickup_at", sa.DateTime(timezone=True), nullable=True))
    for column in ("pickup_from", "pickup_until", "reminded_at"):
        op.add_column("ride", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    _let_states_be(("scheduled", *STATES))
    for name, rule in RIDE_CHECKS.items():
        _check("ride", name, rule)
    _check("quote", "quotes_are_for_later", "pickup_at > quoted_at")


def downgrade() -> None:
    """Refused by the database while a ride is booked ahead: its money could not be let go here."""
    op.drop_constraint("quotes_are_for_later", "quote")
    for name in RIDE_CHECKS:
        op.drop_constraint(name, "ride")
    _let_states_be(STATES)
    op.execute("alter table ride validate constraint ride_states_are_known")
    for column in ("pickup_from", "pickup_until", "reminded_at"):
        op.drop_column("ride", column)
    op.drop_column("quote", "pickup_at")


def _let_states_be(states: tuple[str, ...]) -> None:
    # Nobody sees the table between the two: they are one transaction.
    op.execute(
        "-- squawk-ignore ban-drop-constraint\nalter table ride drop constraint ride_states_are_known"
    )
    names = ", ".join(repr(state) for state in states)
    _check("ride", "ride_states_are_known", f"state in ({names})")


def _check(table: str, name: str, rule: str) -> None:
    """Hold new rows to a rule; that the old ones keep it too, the next revision makes sure."""
    op.execute(f"alter table {table} add constraint {name} check ({rule}) not valid")
