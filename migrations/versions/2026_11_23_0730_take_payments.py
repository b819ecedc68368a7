"""Take payments by card, in cash and on account.

Revision: take_payments
Follows: care_after_a_ride
"""

revision = "take_payments"
down_revision = "care_after_a_ride"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
