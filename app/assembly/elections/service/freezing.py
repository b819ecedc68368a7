"""Freezes a vote: the roll, the figures of its rule and its times, in one transaction."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.assembly import policies
from app.assembly import queries as assembly
from app.assembly.elections.queries import elections, rolls
from app.assembly.elections.rules import (
    BUDGET_POLICY,
    SALT_BYTES,
    Terms,
    check_terms,
    manifest_houses,
    number_parameters,
    present_division,
    quorums,
    seat_members,
)
from app.assembly.proposals.rules import BUDGET_POINTS
from app.assembly.proposals.service import Proposal, manifest_terms
from app.assembly.statutes import StatutesInForce
from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.ledger.costs import planned_floor_bp
from app.members.service.register import freeze_roll
from governance.manifest import MINIMUM_ISSUERS
from governance.policy import number_terms
from governance.proposal import Kind

COMMISSION = "commission_bp"


class TooFewIssuers(Exception):
    """A secret vote needs two issuers or more, and the settings name fewer."""


class ImpossibleTerms(Exception):
    """No rule can decide on these terms; the message says what is wrong with them."""


async def freeze(
    tx: Transaction,
    *,
    proposal: Proposal,
    statutes: StatutesInForce,
    issuers: Sequence[str],
    now: datetime,
) -> elections.Election:
    """Fix the roll and the terms of a proposal that has just been frozen; its issuers come next.

    Raises:
        TooFewIssuers: fewer than two issuers are named.
        ImpossibleTerms: the rule cannot decide on these terms.
    """
    if len(set(issuers)) < MINIMUM_ISSUERS:
        raise TooFewIssuers
    times = proposal.progress.times
    assert times is not None, f"proposal {proposal.id} is not frozen"
    asked = manifest_terms(proposal)
    roll, keys = await freeze_roll(tx, at=now, rules=statutes.roll_rules)
    salt = secrets.token_bytes(SALT_BYTES)
    lines = seat_members(roll, keys, rule=asked.rule, salt=salt)
    try:
        figures = await _figures(tx, proposal=proposal, statutes=statutes, now=now)
        terms = Terms(
            question=asked.question,
            explanation=asked.explanation,
            options=asked.options,
            rule=asked.rule,
            parameters={
                **asked.parameters,
                **figures,
                "quorums": quorums(roll, rule=asked.rule, rules=statutes.roll_rules),
            },
            houses=manifest_houses(lines, rule=asked.rule),
        )
        check_terms(terms)
    except ValueError as wrong:
        raise ImpossibleTerms(str(wrong)) from wrong
    # A manifest knows whole seconds; whoever reads it and whoever asks the table agree to the last.
    election = elections.Election(
        id=new_id(),
        proposal_id=proposal.id,
        salt=salt,
        terms=terms,
        manifest=None,
        frozen_at=now,
        opens_at=times.opens_at.replace(microsecond=0),
        closes_at=times.closes_at.replace(microsecond=0),
        published_by=times.count_by.replace(microsecond=0),
    )
    await elections.insert_election(tx, election=election, urls=issuers)
    await rolls.insert_roll(tx, election_id=election.id, lines=lines)
    return election


async def _figures(
    tx: Transaction, *, proposal: Proposal, statutes: StatutesInForce, now: datetime
) -> dict[str, Any]:
    """Return what only this moment knows: of a number its bounds, of a budget today's division."""
    if proposal.kind is Kind.NUMBER:
        assert proposal.key is not None
        in_force = await policies.policy_in_force(tx, key=proposal.key, at=now)
        bounds: dict[str, int | None] = {}
        if proposal.key == COMMISSION:
            ceiling = statutes.commission_ceiling_bp
            floor = await planned_floor_bp(tx, at=now)
            bounds = {
                # Where costs ask for more than the statutes allow, the statutes hold.
                "floor": None if floor is None else min(floor, ceiling),
                "ceiling": ceiling,
                "largest_step": statutes.commission_largest_step_bp,
            }
        terms = number_terms(proposal.key, status_quo=in_force.value, **bounds)
        return number_parameters(proposal.key, terms)
    if proposal.kind is Kind.BUDGET:
        voted = await assembly.find_policy(tx, key=BUDGET_POLICY, at=now)
        present = present_division(
            proposal.parameters["pots"],
            points=BUDGET_POINTS,
            in_force=None if voted is None else voted["value"],
        )
        return {"points": BUDGET_POINTS, "present": present}
    return {}
