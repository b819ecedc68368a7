"""Find the offers of a round without reading all offers.

Revision: find_offers_by_tick
Follows: find_a_weeks_earnings
"""

from alembic import op

revision = "find_offers_by_tick"
down_revision = "find_a_weeks_earnings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    with op.get_context().autocommit_block():
        # What an upgrade that was cut short here left behind would be of no use.
        op.drop_index("offer_by_tick", "offer", if_exists=True, postgresql_concurrently=True)
        op.create_index("offer_by_tick", "offer", ["tick_id"], postgresql_concurrently=True)


def downgrade() -> None:
    op.drop_index("offer_by_tick", "offer")
