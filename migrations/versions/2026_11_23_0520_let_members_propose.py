"""Let members propose, support, discuss and amend.

Revision: let_members_propose
Follows: book_platform_costs
"""

from alembic import op

revision = "let_members_propose"
down_revision = "book_platform_costs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
