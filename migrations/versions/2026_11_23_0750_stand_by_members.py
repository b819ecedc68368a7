"""Let members stand by each other.

Revision: stand_by_members
Follows: keep_clocks
"""

revision = "stand_by_members"
down_revision = "keep_clocks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
