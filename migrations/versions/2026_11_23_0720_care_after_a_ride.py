"""Keep tips, disputes and the pay floor.

Revision: care_after_a_ride
Follows: price_by_rules
"""

revision = "care_after_a_ride"
down_revision = "price_by_rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
