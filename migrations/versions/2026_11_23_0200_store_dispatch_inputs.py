"""Store what each round of dispatch decided from: rows are added and forgotten, never edited.

Revision: store_dispatch_inputs
Follows: guard_the_books
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "store_dispatch_inputs"
down_revision = "guard_the_books"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "dispatch_input",
        sa.Column("tick_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("passed_over", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.ForeignKeyConstraint(["tick_id"], ["dispatch_tick.id"]),
        sa.PrimaryKeyConstraint("tick_id"),
    )
    op.create_index("dispatch_input_by_time", "dispatch_input", ["at", "tick_id"], unique=False)
    # It is compressed already; PostgreSQL need not try again.
    op.execute("alter table dispatch_input alter column record set storage external")
    op.execute("grant select, insert, delete on dispatch_input to meent_app")
    op.execute(
        "create trigger dispatch_input_is_never_edited before update on dispatch_input"
        " for each row execute function refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("dispatch_input")
