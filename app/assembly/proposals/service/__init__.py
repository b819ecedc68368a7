"""Use cases of proposals: draft, support, discuss, amend, draw a panel, and go on by the clock."""

from app.assembly.proposals.proposal import ManifestTerms, Proposal, manifest_terms
from app.assembly.proposals.service.steps import get_proposal, proposals_due, take_step

__all__ = [
    "ManifestTerms",
    "Proposal",
    "get_proposal",
    "manifest_terms",
    "proposals_due",
    "take_step",
]
