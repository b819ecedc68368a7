"""Keep the ballot box: ballots without names, roots, pending ballots.

Revision: keep_the_ballot_box
Follows: hold_elections
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "keep_the_ballot_box"
down_revision = "hold_elections"
branch_labels = None
depends_on = None

APPEND_ONLY = ("ballot", "board_root")
RIGHTS = {
    "ballot_box": "select, insert, update",
    "pending_ballot": "select, insert, delete",
    "ballot": "select, insert",
    "board_root": "select, insert",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "ballot_box",
        sa.Column("election_id", sa.Uuid(), sa.ForeignKey("election.id"), nullable=False),
        sa.Column("batch_no", sa.Integer(), nullable=False),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("batch_no > 0", name="batches_count_from_one"),
        sa.PrimaryKeyConstraint("election_id"),
    )
    op.create_table(
        "pending_ballot",
        sa.Column("election_id", sa.Uuid(), sa.ForeignKey("election.id"), nullable=False),
        sa.Column("blind_index", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("election_id", "blind_index"),
    )
    op.create_table(
        "ballot",
        sa.Column("election_id", sa.Uuid(), sa.ForeignKey("election.id"), nullable=False),
        sa.Column("vote_key", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("batch_no", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("sequence >= 0", name="sequences_are_not_negative"),
        sa.PrimaryKeyConstraint("election_id", "vote_key", "sequence"),
        sa.UniqueConstraint(
            "election_id", "batch_no", "leaf", name="a_ballot_lies_in_the_box_once"
        ),
    )
    op.create_table(
        "board_root",
        sa.Column("election_id", sa.Uuid(), sa.ForeignKey("election.id"), nullable=False),
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("election_id", "size"),
    )
    for table, rights in RIGHTS.items():
        op.execute(f"grant {rights} on {table} to meent_app")
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )


def downgrade() -> None:
    for table in reversed(RIGHTS):
        op.drop_table(table)
