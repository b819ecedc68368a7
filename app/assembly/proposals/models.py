"""Tables of proposals: what is asked, who supports it, what is said, and how a text changed."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.assembly.proposals.rules import (
    MAX_COMMENT_CHARACTERS,
    MAX_EXPLANATION_CHARACTERS,
    MAX_PAGE_CHARACTERS,
    MAX_QUESTION_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    AmendmentState,
    Side,
)
from app.foundation import columns
from governance.ballot_rule import BALLOT_RULES
from governance.proposal import Kind, Stage, VoidGround

_RULES = ", ".join(f"'{name}'" for name in BALLOT_RULES)


def _at_most(column: str, characters: int) -> CheckConstraint:
    return CheckConstraint(f"length({column}) <= {characters}", name=f"{column}_is_short")


class ProposalRow(SQLModel, table=True):
    """A proposal: what it asks, and where it stands in its life."""

    __tablename__ = "proposal"
    __table_args__: ClassVar[Any] = (
        columns.one_of("kind", Kind, name="proposal_kinds_are_known"),
        columns.one_of("stage", Stage, name="proposal_stages_are_known"),
        CheckConstraint(f"rule in ({_RULES})", name="ballot_rules_are_known"),
        columns.one_of("void_ground", VoidGround, name="void_grounds_are_known"),
        _at_most("title", MAX_TITLE_CHARACTERS),
        _at_most("question", MAX_QUESTION_CHARACTERS),
        _at_most("explanation", MAX_EXPLANATION_CHARACTERS),
        _at_most("draft_text", MAX_TEXT_CHARACTERS),
        CheckConstraint("(kind = 'number') = (key is not null)", name="a_number_names_its_policy"),
        CheckConstraint("kind = 'text' or draft_text is null", name="only_texts_have_a_text"),
        CheckConstraint(
            "is_secret or kind in ('text', 'choice')", name="only_texts_and_choices_are_open"
        ),
        CheckConstraint("(stage = 'void') = (void_ground is not null)", name="a_void_has_a_ground"),
        CheckConstraint(
            "(stage in ('draft', 'withdrawn')) or supporters_needed is not null",
            name="a_submitted_proposal_knows_what_it_needs",
        ),
        CheckConstraint(
            "stage in ('draft', 'seeking_support', 'deliberation', 'withdrawn', 'lapsed')"
            " or (rule is not null and sign_by is not null)",
            name="a_frozen_proposal_has_rule_and_times",
        ),
        CheckConstraint(
            "(sign_by is null) = (count_by is null) and (opens_at is null) = (closes_at is null)"
            " and (sign_by is null) = (opens_at is null)"
            " and coalesce(sign_by < opens_at and opens_at < closes_at and closes_at < count_by,"
            " true)",
            name="times_of_a_vote_follow_each_other",
        ),
        Index("proposal_due", "due_at", postgresql_where=text("due_at is not null")),
        Index("proposal_by_author", "author_id", "id"),
        Index("proposal_by_stage", "stage", "id"),
    )

    id: UUID = columns.key()
    author_id: UUID = columns.reference("member.id")
    kind: str = columns.text()
    is_secret: bool
    key: str | None = columns.text(nullable=True)
    title: str = columns.text()
    question: str = columns.text()
    explanation: str = columns.text()
    draft_text: str | None = columns.text(nullable=True)
    options: Any = columns.document()
    parameters: Any = columns.document()
    supporters_needed: int | None = Field(default=None, nullable=True)
    rule: str | None = columns.text(nullable=True)
    stage: str = columns.text()
    since: datetime = columns.moment()
    due_at: datetime | None = columns.moment(nullable=True)
    sign_by: datetime | None = columns.moment(nullable=True)
    opens_at: datetime | None = columns.moment(nullable=True)
    closes_at: datetime | None = columns.moment(nullable=True)
    count_by: datetime | None = columns.moment(nullable=True)
    void_ground: str | None = columns.text(nullable=True)
    # Counts every change of the row or of its text: what an editor must have seen.
    version: int
    created_at: datetime = columns.moment()


class ProposalSupport(SQLModel, table=True):
    """That a member supports a proposal now. Only the number of these rows is ever shown."""

    __tablename__ = "proposal_support"

    proposal_id: UUID = columns.reference("proposal.id", primary_key=True)
    member_id: UUID = columns.reference("member.id", primary_key=True)
    supported_at: datetime = columns.moment()


class ProposalComment(SQLModel, table=True):
    """What a member said about a proposal; taken back, its words go and its place stays."""

    __tablename__ = "proposal_comment"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(f"length(body) <= {MAX_COMMENT_CHARACTERS}", name="comments_are_short"),
        CheckConstraint(
            "(body = '') = (withdrawn_at is not null)", name="a_comment_taken_back_is_empty"
        ),
        Index("proposal_comment_by_proposal", "proposal_id", "id"),
        Index("proposal_comment_by_author", "author_id", "written_at"),
    )

    id: UUID = columns.key()
    proposal_id: UUID = columns.reference("proposal.id")
    author_id: UUID = columns.reference("member.id")
    answers: UUID | None = columns.reference("proposal_comment.id", nullable=True)
    body: str = columns.text()
    written_at: datetime = columns.moment()
    withdrawn_at: datetime | None = columns.moment(nullable=True)


class ProposalText(SQLModel, table=True):
    """One version of a proposed text; the one with the highest number stands."""

    __tablename__ = "proposal_text"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("number >= 1", name="versions_of_a_text_count_from_one"),
        CheckConstraint(
            f"length(body) between 1 and {MAX_TEXT_CHARACTERS}", name="texts_are_of_some_length"
        ),
        CheckConstraint(
            "(number = 1) = (amendment_id is null)", name="later_versions_come_from_an_amendment"
        ),
    )

    proposal_id: UUID = columns.reference("proposal.id", primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    body: str = columns.text()
    sha256: str = columns.text()
    amendment_id: UUID | None = columns.reference("amendment.id", nullable=True)
    made_at: datetime = columns.moment()


class AmendmentRow(SQLModel, table=True):
    """Changes of one version of a text that a member asks for, and what became of them."""

    __tablename__ = "amendment"
    __table_args__: ClassVar[Any] = (
        columns.one_of("state", AmendmentState, name="amendment_states_are_known"),
        UniqueConstraint("proposal_id", "number", name="amendments_of_a_proposal_are_numbered"),
        CheckConstraint(
            f"length(reason) <= {MAX_COMMENT_CHARACTERS}", name="reasons_of_amendments_are_short"
        ),
        CheckConstraint(
            "(state = 'open') = (decided_at is null)", name="a_decided_amendment_says_when"
        ),
    )

    id: UUID = columns.key()
    proposal_id: UUID = columns.reference("proposal.id")
    number: int
    author_id: UUID = columns.reference("member.id")
    base_number: int
    base_sha256: str = columns.text()
    changes: Any = columns.document()
    reason: str = columns.text()
    state: str = columns.text()
    proposed_at: datetime = columns.moment()
    decided_at: datetime | None = columns.moment(nullable=True)


class AmendmentSupport(SQLModel, table=True):
    """That a member wants an amendment to be voted on. Only their number is shown."""

    __tablename__ = "amendment_support"

    amendment_id: UUID = columns.reference("amendment.id", primary_key=True)
    member_id: UUID = columns.reference("member.id", primary_key=True)
    supported_at: datetime = columns.moment()


class PanelRow(SQLModel, table=True):
    """The draw of a proposal's panel: the announced source first, its randomness later."""

    __tablename__ = "panel"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("size >= 1", name="a_panel_has_somebody"),
        CheckConstraint(
            "(randomness is null) = (drawn_at is null) and (drawn_at is null) = (drawn_by is null)",
            name="a_person_enters_the_randomness",
        ),
        CheckConstraint(
            "listed_at < public_at and coalesce(public_at <= drawn_at, true)",
            name="randomness_comes_after_the_list",
        ),
        CheckConstraint("length(randomness) >= 16", name="randomness_is_long_enough"),
    )

    proposal_id: UUID = columns.reference("proposal.id", primary_key=True)
    source: str = columns.text()
    size: int
    listed_by: UUID = columns.reference("member.id")
    listed_at: datetime = columns.moment()
    public_at: datetime = columns.moment()
    randomness: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    drawn_by: UUID | None = columns.reference("member.id", nullable=True)
    drawn_at: datetime | None = columns.moment(nullable=True)


class PanelSeat(SQLModel, table=True):
    """A member on the list of a draw, under a pseudonym; drawn, with a place, and then a side."""

    __tablename__ = "panel_seat"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("proposal_id", "pseudonym", name="pseudonyms_of_a_draw_differ"),
        UniqueConstraint("proposal_id", "place", name="a_place_on_a_panel_is_of_one_member"),
        columns.one_of("side", Side, name="sides_are_for_or_against"),
        CheckConstraint("side is null or place is not null", name="who_was_drawn_takes_a_side"),
    )

    proposal_id: UUID = columns.reference("panel.proposal_id", primary_key=True)
    member_id: UUID = columns.reference("member.id", primary_key=True)
    pseudonym: str = columns.text()
    place: int | None = Field(default=None, nullable=True)
    side: str | None = columns.text(nullable=True)


class PanelPage(SQLModel, table=True):
    """What the drawn members write for or against a proposal, of 200 words at most."""

    __tablename__ = "panel_page"
    __table_args__: ClassVar[Any] = (
        columns.one_of("side", Side, name="pages_are_for_or_against"),
        CheckConstraint(
            f"length(body) between 1 and {MAX_PAGE_CHARACTERS}", name="pages_are_short"
        ),
    )

    proposal_id: UUID = columns.reference("panel.proposal_id", primary_key=True)
    side: str = columns.text(primary_key=True)
    body: str = columns.text()
    version: int
    written_by: UUID = columns.reference("member.id")
    written_at: datetime = columns.moment()
