"""Price rides by rules that two people set.

Revision: price_by_rules
Follows: open_partners_accounts
"""

revision = "price_by_rules"
down_revision = "open_partners_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
