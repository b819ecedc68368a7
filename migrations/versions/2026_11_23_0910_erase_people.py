"""Let staff erase a person from the proofs of the books: one asks, another one confirms.

Revision: erase_people
Follows: look_past_temporary_tables
"""

import sqlalchemy as sa
from alembic import op

revision = "erase_people"
down_revision = "look_past_temporary_tables"
branch_labels = None
depends_on = None

CHECKS = {
    "nobody_asks_to_be_erased_by_themselves": "asked_by <> member_id",
    "somebody_else_confirms_an_erasure": "confirmed_by <> asked_by and confirmed_by <> member_id",
    "a_person_decides_erasures": (
        "(confirmed_at is null) = (confirmed_by is null)"
        " and (withdrawn_at is null) = (withdrawn_by is null)"
    ),
    "an_erasure_is_decided_once": "confirmed_at is null or withdrawn_at is null",
    "an_erasure_is_decided_after_it_was_asked": (
        "confirmed_at >= asked_at and withdrawn_at >= asked_at"
    ),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "erasure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", moment, nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", moment, nullable=True),
        *(sa.CheckConstraint(rule, name=name) for name, rule in CHECKS.items()),
        *(
            sa.ForeignKeyConstraint([column], ["member.id"])
            for column in ("member_id", "asked_by", "confirmed_by", "withdrawn_by")
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_erasure_per_person",
        "erasure",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("confirmed_at is null and withdrawn_at is null"),
    )
    op.execute("grant select, insert on erasure to meent_app")
    op.execute(
        "grant update (confirmed_by, confirmed_at, withdrawn_by, withdrawn_at)"
        " on erasure to meent_app"
    )
    op.execute(
        "create trigger erasure_keeps_its_history before update on erasure"
        " for each row execute function keep_history()"
    )
    op.execute(
        "create trigger erasure_is_never_deleted before delete on erasure"
        " for each row execute function refuse_change()"
    )
    op.execute(
        "create trigger erasure_is_never_emptied before truncate on erasure"
        " for each statement execute function refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("erasure")
