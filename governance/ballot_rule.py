"""The rules by the name a manifest gives them: which values a ballot may carry, what they decide.

The parameters are the manifest's, the results are what is announced and published; `meent-verify`
writes the same a second time and must come to the same documents. No result holds a subtotal of
a house.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.budget_vote import BudgetTerms, tally_budget
from governance.number_vote import NumberTerms, tally_number
from governance.ranked_vote import admits, tally_choice
from governance.tally import MORE_THAN_HALF, Majority
from governance.text_vote import tally_text
from governance.two_houses import tally_in_two_houses

TEXT_VALUES = ("yes", "no", "abstain")

type Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BallotRule:
    """One rule: how many houses vote, what a ballot may say, and what all ballots decide.

    `admits` takes one value, `decide` one list of admitted values for each house; both take the
    manifest's parameters, where `quorums` holds one quorum for each house. Parameters that lack
    a figure or hold an impossible one are refused (ValueError, KeyError) before a vote opens, by
    deciding about no ballots.
    """

    houses: int
    admits: Callable[[Any, Parameters], bool]
    decide: Callable[[Sequence[Sequence[Any]], Parameters], dict[str, Any]]


def _number_terms(parameters: Parameters) -> NumberTerms:
    return NumberTerms(
        status_quo=parameters["status_quo"],
        floor=parameters["floor"],
        ceiling=parameters["ceiling"],
        largest_step=parameters["largest_step"],
        to_raise=Majority(*parameters["to_raise"]),
        to_cut=Majority(*parameters["to_cut"]),
        grid=parameters["grid"],
    )


def _budget_terms(parameters: Parameters) -> BudgetTerms:
    return BudgetTerms(
        pots=tuple(parameters["pots"]),
        present=tuple(parameters["present"]),
        points=parameters["points"],
    )


def _admits_number(value: Any, parameters: Parameters) -> bool:
    return type(value) is int and _number_terms(parameters).admits(value)


def _decide_number(values: Sequence[Sequence[int]], parameters: Parameters) -> dict[str, Any]:
    (everyone,), (quorum,) = values, parameters["quorums"]
    return {"value": tally_number(everyone, terms=_number_terms(parameters), quorum=quorum).value}


def _decide_in_two_houses(
    values: Sequence[Sequence[int]], parameters: Parameters
) -> dict[str, Any]:
    (drivers, riders), (driver_quorum, rider_quorum) = values, parameters["quorums"]
    decided = tally_in_two_houses(
        _number_terms(parameters),
        drivers=drivers,
        riders=riders,
        driver_quorum=driver_quorum,
        rider_quorum=rider_quorum,
    )
    return {"value": decided.value}


def _admits_text(value: Any, _: Parameters) -> bool:
    return isinstance(value, str) and value in TEXT_VALUES


def _decide_text(values: Sequence[Sequence[str]], parameters: Parameters) -> dict[str, Any]:
    (everyone,), (quorum,) = values, parameters["quorums"]
    votes = Counter(everyone)
    decided = tally_text(
        yes=votes["yes"],
        no=votes["no"],
        abstained=votes["abstain"],
        majority=Majority(*parameters["majority"]),
        quorum=quorum,
    )
    return {"carried": decided.carried} | {said: votes[said] for said in TEXT_VALUES}


def _admits_budget(value: Any, parameters: Parameters) -> bool:
    return isinstance(value, list) and _budget_terms(parameters).admits(value)


def _decide_budget(
    values: Sequence[Sequence[Sequence[int]]], parameters: Parameters
) -> dict[str, Any]:
    (everyone,), (quorum,) = values, parameters["quorums"]
    decided = tally_budget(everyone, terms=_budget_terms(parameters), quorum=quorum)
    return {"shares": [[pot.share.numerator, pot.share.denominator] for pot in decided.shares]}


def _admits_choice(value: Any, parameters: Parameters) -> bool:
    named = isinstance(value, list) and all(isinstance(option, str) for option in value)
    return named and admits(value, options=parameters["options"])


def _decide_choice(
    values: Sequence[Sequence[Sequence[str]]], parameters: Parameters
) -> dict[str, Any]:
    (everyone,), (quorum,) = values, parameters["quorums"]
    # Only rival wordings of a text name a majority: the one that the text alone would need.
    asked = parameters.get("majority")
    decided = tally_choice(
        everyone,
        options=parameters["options"],
        quorum=quorum,
        majority=Majority(*asked) if asked else MORE_THAN_HALF,
    )
    return {"winner": decided.winner}


BALLOT_RULES: Mapping[str, BallotRule] = {
    "number": BallotRule(1, _admits_number, _decide_number),
    "two_houses": BallotRule(2, _admits_number, _decide_in_two_houses),
    "text": BallotRule(1, _admits_text, _decide_text),
    "budget": BallotRule(1, _admits_budget, _decide_budget),
    "choice": BallotRule(1, _admits_choice, _decide_choice),
}
