"""Seal the books.

Revision: seal_the_books
Follows: clear_between_cooperatives
"""

revision = "seal_the_books"
down_revision = "clear_between_cooperatives"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
