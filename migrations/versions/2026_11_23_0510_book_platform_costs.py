"""Book what the platform itself costs.

Revision: book_platform_costs
Follows: register_members
"""

from alembic import op

revision = "book_platform_costs"
down_revision = "register_members"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
