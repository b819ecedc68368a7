"""Clear rides between cooperatives.

Revision: clear_between_cooperatives
Follows: stand_by_members
"""

revision = "clear_between_cooperatives"
down_revision = "stand_by_members"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
