"""Let members propose, support, discuss and amend.

Revision: let_members_propose
Follows: book_platform_costs
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "let_members_propose"
down_revision = "book_platform_costs"
branch_labels = None
depends_on = None

TABLES = (
    "proposal",
    "amendment",
    "panel",
    "proposal_comment",
    "proposal_support",
    "amendment_support",
    "panel_page",
    "panel_seat",
    "proposal_text",
)
# Support is taken back by deleting it.
RIGHTS = {
    "proposal": "insert, update",
    "proposal_support": "insert, delete",
    "proposal_comment": "insert, update",
    "proposal_text": "insert",
    "amendment": "insert, update",
    "amendment_support": "insert, delete",
    "panel": "insert, update",
    "panel_seat": "insert, update",
    "panel_page": "insert, update",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("is_secret", sa.Boolean(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("draft_text", sa.Text(), nullable=True),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("supporters_needed", sa.Integer(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sign_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("count_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_ground", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'number') = (key is not null)", name="a_number_names_its_policy"
        ),
        sa.CheckConstraint(
            "(stage = 'void') = (void_ground is not null)", name="a_void_has_a_ground"
        ),
        sa.CheckConstraint(
            "(stage in ('draft', 'withdrawn')) or supporters_needed is not null",
            name="a_submitted_proposal_knows_what_it_needs",
        ),
        sa.CheckConstraint("kind = 'text' or draft_text is null", name="only_texts_have_a_text"),
        sa.CheckConstraint(
            "kind in ('number', 'budget', 'text', 'choice')", name="proposal_kinds_are_known"
        ),
        sa.CheckConstraint(
            "rule in ('number', 'two_houses', 'text', 'budget', 'choice')",
            name="ballot_rules_are_known",
        ),
        sa.CheckConstraint(
            "stage in ('draft', 'seeking_support', 'deliberation', 'frozen', 'credentials_open', 'voting', 'tallied', 'objection_window', 'enacted', 'unchanged', 'superseded', 'withdrawn', 'lapsed', 'void')",
            name="proposal_stages_are_known",
        ),
        sa.CheckConstraint(
            "stage in ('draft', 'seeking_support', 'deliberation', 'withdrawn', 'lapsed') or (rule is not null and sign_by is not null)",
            name="a_frozen_proposal_has_rule_and_times",
        ),
        sa.CheckConstraint(
            "void_ground in ('not_signed', 'not_counted', 'proof_failed', 'audit')",
            name="void_grounds_are_known",
        ),
        sa.CheckConstraint(
            "(sign_by is null) = (count_by is null) and (opens_at is null) = (closes_at is null) and (sign_by is null) = (opens_at is null) and coalesce(sign_by < opens_at and opens_at < closes_at and closes_at < count_by, true)",
            name="times_of_a_vote_follow_each_other",
        ),
        sa.CheckConstraint("length(draft_text) <= 20000", name="draft_text_is_short"),
        sa.CheckConstraint("length(explanation) <= 1000", name="explanation_is_short"),
        sa.CheckConstraint("length(question) <= 500", name="question_is_short"),
        sa.CheckConstraint("length(title) <= 120", name="title_is_short"),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("proposal_by_author", "proposal", ["author_id", "id"], unique=False)
    op.create_index("proposal_by_stage", "proposal", ["stage", "id"], unique=False)
    op.create_index(
        "proposal_due",
        "proposal",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at is not null"),
    )
    op.create_table(
        "amendment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("base_number", sa.Integer(), nullable=False),
        sa.Column("base_sha256", sa.Text(), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at is null)", name="a_decided_amendment_says_when"
        ),
        sa.CheckConstraint(
            "state in ('open', 'accepted', 'declined', 'rival', 'dropped')",
            name="amendment_states_are_known",
        ),
        sa.CheckConstraint("length(reason) <= 2000", name="reasons_of_amendments_are_short"),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("proposal_id", "number", name="amendments_of_a_proposal_are_numbered"),
    )
    op.create_table(
        "panel",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("listed_by", sa.Uuid(), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("randomness", sa.LargeBinary(), nullable=True),
        sa.Column("drawn_by", sa.Uuid(), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(randomness is null) = (drawn_at is null) and (drawn_at is null) = (drawn_by is null)",
            name="a_person_enters_the_randomness",
        ),
        sa.CheckConstraint(
            "listed_at < public_at and coalesce(public_at <= drawn_at, true)",
            name="randomness_comes_after_the_list",
        ),
        sa.CheckConstraint("length(randomness) >= 16", name="randomness_is_long_enough"),
        sa.CheckConstraint("size >= 1", name="a_panel_has_somebody"),
        sa.ForeignKeyConstraint(
            ["drawn_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["listed_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposal.id"],
        ),
        sa.PrimaryKeyConstraint("proposal_id"),
    )
    op.create_table(
        "proposal_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("answers", sa.Uuid(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(body = '') = (withdrawn_at is not null)", name="a_comment_taken_back_is_empty"
        ),
        sa.CheckConstraint("length(body) <= 2000", name="comments_are_short"),
        sa.ForeignKeyConstraint(
            ["answers"],
            ["proposal_comment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "proposal_comment_by_author", "proposal_comment", ["author_id", "written_at"], unique=False
    )
    op.create_index(
        "proposal_comment_by_proposal", "proposal_comment", ["proposal_id", "id"], unique=False
    )
    op.create_table(
        "proposal_support",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("supported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposal.id"],
        ),
        sa.PrimaryKeyConstraint("proposal_id", "member_id"),
    )
    op.create_table(
        "amendment_support",
        sa.Column("amendment_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("supported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["amendment_id"],
            ["amendment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("amendment_id", "member_id"),
    )
    op.create_table(
        "panel_page",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side in ('for', 'against')", name="pages_are_for_or_against"),
        sa.CheckConstraint("length(body) between 1 and 4000", name="pages_are_short"),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["panel.proposal_id"],
        ),
        sa.ForeignKeyConstraint(
            ["written_by"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("proposal_id", "side"),
    )
    op.create_table(
        "panel_seat",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("side", sa.Text(), nullable=True),
        sa.CheckConstraint("side in ('for', 'against')", name="sides_are_for_or_against"),
        sa.CheckConstraint("side is null or place is not null", name="who_was_drawn_takes_a_side"),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["panel.proposal_id"],
        ),
        sa.PrimaryKeyConstraint("proposal_id", "member_id"),
        sa.UniqueConstraint("proposal_id", "place", name="a_place_on_a_panel_is_of_one_member"),
        sa.UniqueConstraint("proposal_id", "pseudonym", name="pseudonyms_of_a_draw_differ"),
    )
    op.create_table(
        "proposal_text",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("amendment_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(number = 1) = (amendment_id is null)", name="later_versions_come_from_an_amendment"
        ),
        sa.CheckConstraint("length(body) between 1 and 20000", name="texts_are_of_some_length"),
        sa.CheckConstraint("number >= 1", name="versions_of_a_text_count_from_one"),
        sa.ForeignKeyConstraint(
            ["amendment_id"],
            ["amendment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposal.id"],
        ),
        sa.PrimaryKeyConstraint("proposal_id", "number"),
    )
    for table, rights in RIGHTS.items():
        op.execute(f"grant select, {rights} on {table} to meent_app")
    op.execute(
        "create trigger proposal_text_is_append_only before update or delete on proposal_text"
        " for each row execute function refuse_change()"
    )
    op.execute(
        "create trigger proposal_text_is_never_emptied before truncate on proposal_text"
        " for each statement execute function refuse_change()"
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
