"""Lend voices in open votes.

Revision: lend_voices
Follows: keep_the_ballot_box
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "lend_voices"
down_revision = "keep_the_ballot_box"
branch_labels = None
depends_on = None

# A delegation alone is edited: it ends.
APPEND_ONLY = ("open_vote", "open_seat", "open_ballot", "open_tally", "open_voice")


def _create_delegation() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("giver_id", sa.Uuid(), nullable=False),
        sa.Column("taker_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.CheckConstraint("topic in ('text', 'choice')", name="voices_are_lent_on_known_topics"),
        sa.CheckConstraint(
            "ending in ('revoked', 'returned', 'expired', 'taker_left', 'giver_left')",
            name="how_voices_come_back_is_known",
        ),
        sa.CheckConstraint("giver_id <> taker_id", name="nobody_lends_to_themselves"),
        sa.CheckConstraint(
            "expires_at > given_at and expires_at <= given_at + interval '8760 hours'",
            name="voices_are_lent_for_a_year_at_most",
        ),
        sa.CheckConstraint(
            "(ended_at is null) = (ending is null)", name="a_voice_that_came_back_says_how"
        ),
        sa.CheckConstraint("ended_at >= given_at", name="voices_come_back_after_they_were_lent"),
        sa.ForeignKeyConstraint(["giver_id"], ["member.id"]),
        sa.ForeignKeyConstraint(["taker_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    is_open = sa.text("ended_at is null")
    op.create_index(
        "one_open_delegation_per_giver_and_topic",
        "delegation",
        ["giver_id", "topic"],
        unique=True,
        postgresql_where=is_open,
    )
    op.create_index("delegation_by_giver", "delegation", ["giver_id", "id"])
    op.create_index("delegation_by_taker", "delegation", ["taker_id", "id"])
    op.create_index("delegation_by_topic", "delegation", ["topic", "given_at"])
    op.create_index("delegation_by_expiry", "delegation", ["expires_at"], postgresql_where=is_open)


def _create_vote() -> None:
    op.create_table(
        "open_vote",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("topic in ('text', 'choice')", name="only_texts_and_choices_are_open"),
        sa.CheckConstraint(
            "frozen_at < opens_at and opens_at < closes_at", name="open_votes_last_a_while"
        ),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"]),
        sa.PrimaryKeyConstraint("proposal_id"),
    )
    op.create_table(
        "open_seat",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("house", sa.Text(), nullable=False),
        sa.CheckConstraint("house in ('drivers', 'riders')", name="open_seats_are_in_a_house"),
        sa.ForeignKeyConstraint(["proposal_id"], ["open_vote.proposal_id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("proposal_id", "member_id"),
    )
    op.create_table(
        "open_ballot",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sequence >= 1", name="open_ballots_are_counted_from_one"),
        sa.ForeignKeyConstraint(
            ["proposal_id", "member_id"],
            ["open_seat.proposal_id", "open_seat.member_id"],
            name="only_the_roll_votes",
        ),
        sa.PrimaryKeyConstraint("proposal_id", "member_id", "sequence"),
    )


def _create_tally() -> None:
    op.create_table(
        "open_tally",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("result", postgresql.JSONB(), nullable=False),
        sa.Column("own", sa.Integer(), nullable=False),
        sa.Column("lent", sa.Integer(), nullable=False),
        sa.Column("in_circle", sa.Integer(), nullable=False),
        sa.Column("concentration", postgresql.JSONB(), nullable=False),
        sa.Column("tallied_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("own >= 0 and lent >= 0", name="open_tallies_are_not_negative"),
        sa.ForeignKeyConstraint(["proposal_id"], ["open_vote.proposal_id"]),
        sa.PrimaryKeyConstraint("proposal_id"),
    )
    op.create_table(
        "open_voice",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("carrier_id", sa.Uuid(), nullable=True),
        sa.Column("in_circle", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "not (in_circle and carrier_id is not null)", name="a_circle_speaks_for_nobody"
        ),
        sa.ForeignKeyConstraint(["proposal_id"], ["open_tally.proposal_id"]),
        sa.ForeignKeyConstraint(
            ["proposal_id", "member_id"],
            ["open_seat.proposal_id", "open_seat.member_id"],
            name="only_the_roll_has_a_voice",
        ),
        sa.PrimaryKeyConstraint("proposal_id", "member_id"),
    )
    op.create_index("open_voice_by_carrier", "open_voice", ["proposal_id", "carrier_id"])


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _create_delegation()
    _create_vote()
    _create_tally()
    op.execute("grant select, insert on delegation to meent_app")
    op.execute("grant update (ended_at, ending) on delegation to meent_app")
    for table in APPEND_ONLY:
        op.execute(f"grant select, insert on {table} to meent_app")
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )


def downgrade() -> None:
    for table in ("open_voice", "open_tally", "open_ballot", "open_seat", "open_vote"):
        op.drop_table(table)
    op.drop_table("delegation")
