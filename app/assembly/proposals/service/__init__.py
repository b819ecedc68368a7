"""Use cases of proposals: draft, support, discuss, amend, draw a panel, and go on by the clock."""

from app.assembly.proposals.proposal import ManifestTerms, Proposal, manifest_terms
from app.assembly.proposals.service.amending import (
    accept_amendment,
    decline_amendment,
    get_amendment,
    get_text,
    list_amendments,
    list_texts,
    propose_amendment,
    support_amendment,
    withdraw_amendment_support,
)
from app.assembly.proposals.service.commenting import (
    list_comments,
    withdraw_comment,
    write_comment,
)
from app.assembly.proposals.service.drafting import (
    edit_draft,
    list_proposals,
    show_proposal,
    submit_proposal,
    withdraw_proposal,
    write_draft,
)
from app.assembly.proposals.service.paneling import draw, list_panel, show_panel, write_page
from app.assembly.proposals.service.standing import check_member
from app.assembly.proposals.service.steps import get_proposal, proposals_due, take_step
from app.assembly.proposals.service.support import support_proposal, withdraw_support

__all__ = [
    "ManifestTerms",
    "Proposal",
    "accept_amendment",
    "check_member",
    "decline_amendment",
    "draw",
    "edit_draft",
    "get_amendment",
    "get_proposal",
    "get_text",
    "list_amendments",
    "list_comments",
    "list_panel",
    "list_proposals",
    "list_texts",
    "manifest_terms",
    "proposals_due",
    "propose_amendment",
    "show_panel",
    "show_proposal",
    "submit_proposal",
    "support_amendment",
    "support_proposal",
    "take_step",
    "withdraw_amendment_support",
    "withdraw_comment",
    "withdraw_proposal",
    "withdraw_support",
    "write_comment",
    "write_draft",
    "write_page",
]
