"""Publish a report of sealed periods.

Revision: publish_reports
Follows: seal_the_books
"""

revision = "publish_reports"
down_revision = "seal_the_books"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
