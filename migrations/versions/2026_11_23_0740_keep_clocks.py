"""Keep what statements are made of.

Revision: keep_clocks
Follows: take_payments
"""

revision = "keep_clocks"
down_revision = "take_payments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
