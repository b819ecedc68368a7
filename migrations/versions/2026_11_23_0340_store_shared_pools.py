"""Store what each offer to join a shared run was decided from.

Revision: store_shared_pools
Follows: hint_where_to_wait
"""

import sqlalchemy as sa
from alembic import op

revision = "store_shared_pools"
down_revision = "hint_where_to_wait"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "dispatch_pool",
        sa.Column("tick_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tick_id"], ["dispatch_tick.id"]),
        sa.PrimaryKeyConstraint("tick_id"),
    )
    op.create_index("dispatch_pool_by_time", "dispatch_pool", ["at", "tick_id"])
    # It is compressed already; PostgreSQL need not try again.
    op.execute("alter table dispatch_pool alter column record set storage external")
    op.execute("grant select, insert, delete on dispatch_pool to meent_app")
    op.execute(
        "create trigger dispatch_pool_is_never_edited before update on dispatch_pool"
        " for each row execute function refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("dispatch_pool")
