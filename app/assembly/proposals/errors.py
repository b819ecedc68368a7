"""What the proposals' room refuses."""

from app.foundation.problems import Problem


class ProposalUnknown(Problem):
    """There is no such proposal, or it is somebody's draft."""

    status = 404
    slug = "proposal-unknown"
    title = "There is no such proposal"


class StepRefused(Problem):
    """The proposal does not stand where this can be done, or its time has passed. Read it again."""

    slug = "proposal-step-refused"
    title = "The proposal does not stand there any more"
