"""Publish a report of each period that is closed and sealed.

Revision: publish_reports
Follows: seal_the_books
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "publish_reports"
down_revision = "seal_the_books"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "transparency_report",
        sa.Column("period_id", sa.Uuid(), sa.ForeignKey("surplus_period.id"), primary_key=True),
        sa.Column("report", JSONB(), nullable=False),
        sa.Column("seal_height", sa.BigInteger(), sa.ForeignKey("seal.height"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("seal_height > 0", name="reports_are_of_sealed_books"),
    )
    op.execute("grant select, insert on transparency_report to meent_app")
    for name, when in (
        ("is_append_only", "update or delete on transparency_report for each row"),
        ("is_never_emptied", "truncate on transparency_report for each statement"),
    ):
        op.execute(
            f"create trigger transparency_report_{name} before {when}"
            " execute function refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("transparency_report")
