"""A proposal as the program knows it, and the part of it that a manifest fixes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.amendment import version_of
from governance.proposal import Kind, Progress, Stage, VoidGround, VotingTimes

# What a text is called as an option beside its rivals.
AS_PROPOSED = "as_proposed"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as read from the database.

    `key` names the policy of a number. `text` is the newest version of a text, `text_number` which
    one that is (0: a draft). `options` are those of a choice, and from the freeze on those of a
    text with rivals. `parameters` are the pots of a budget; from the freeze on also what the
    statutes say. `rule` is known from the freeze on. `version` counts the changes of all of it.
    """

    id: UUID
    author_id: UUID
    kind: Kind
    is_secret: bool
    key: str | None
    title: str
    question: str
    explanation: str
    text: str | None
    text_number: int
    options: tuple[str, ...]
    parameters: Mapping[str, Any]
    supporters_needed: int | None
    rule: str | None
    progress: Progress
    void_ground: VoidGround | None
    version: int
    created_at: datetime

    @property
    def stage(self) -> Stage:
        """Where the proposal stands."""
        return self.progress.stage

    def takes(self, stage: Stage, *, at: datetime) -> bool:
        """Whether the proposal stands in a stage that is not over by the clock."""
        due_at = self.progress.due_at
        return self.stage is stage and (due_at is None or at < due_at)


@dataclass(frozen=True, slots=True)
class ManifestTerms:
    """What of a manifest the proposal knows.

    `parameters` lack what only the freeze knows: the quorums, and of a number its status quo,
    floor, ceiling, step, majorities and grid; of a budget how the pots are divided at present.
    """

    question: str
    explanation: str
    options: tuple[str, ...]
    rule: str
    parameters: Mapping[str, Any]


def manifest_terms(proposal: Proposal) -> ManifestTerms:
    """Return what a frozen proposal puts into its manifest.

    A text is named by its SHA-256, each of its rivals too, so that nobody changes a letter later.
    Refused (ValueError): a proposal that was not frozen, whose rule nobody knows yet.
    """
    if proposal.rule is None:
        raise ValueError(f"proposal {proposal.id} is not frozen")
    parameters = dict(proposal.parameters)
    if proposal.kind is Kind.TEXT:
        assert proposal.text is not None
        parameters["text"] = version_of(proposal.text)
    if proposal.rule == "choice":
        parameters["options"] = list(proposal.options)
    return ManifestTerms(
        proposal.question, proposal.explanation, proposal.options, proposal.rule, parameters
    )


def proposal_from(row: Any) -> Proposal:
    """Return the proposal that a row of the database holds."""
    times = (row["sign_by"], row["opens_at"], row["closes_at"], row["count_by"])
    return Proposal(
        id=UUID(int=row["id"].int),
        author_id=UUID(int=row["author_id"].int),
        kind=Kind(row["kind"]),
        is_secret=row["is_secret"],
        key=row["key"],
        title=row["title"],
        question=row["question"],
        explanation=row["explanation"],
        text=row["text"],
        text_number=row["text_number"],
        options=tuple(row["options"]),
        parameters=row["parameters"],
        supporters_needed=row["supporters_needed"],
        rule=row["rule"],
        progress=Progress(
            Stage(row["stage"]),
            row["since"],
            row["due_at"],
            None if row["sign_by"] is None else VotingTimes(*times),
        ),
        void_ground=None if row["void_ground"] is None else VoidGround(row["void_ground"]),
        version=row["version"],
        created_at=row["created_at"],
    )
