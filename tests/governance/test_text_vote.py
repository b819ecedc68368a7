"""A text carries by its majority, and staying home never stops it better than voting no."""

from itertools import product

import pytest

from governance.tally import MORE_THAN_HALF, TWO_THIRDS
from governance.text_vote import TextGround, tally_text


@pytest.mark.parametrize(
    ("yes", "no", "abstained", "quorum", "ground"),
    [
        (6, 3, 0, 0, TextGround.CARRIED),
        (5, 3, 0, 0, TextGround.MAJORITY),
        (6, 0, 0, 9, TextGround.CARRIED),
        (6, 0, 0, 10, TextGround.QUORUM),
        (6, 0, 1, 10, TextGround.CARRIED),
        (0, 0, 0, 0, TextGround.MAJORITY),
        (0, 0, 9, 5, TextGround.MAJORITY),
    ],
)
def test_two_thirds_carry_a_text_and_the_result_says_why_not(
    yes: int, no: int, abstained: int, quorum: int, ground: TextGround
) -> None:
    result = tally_text(yes=yes, no=no, abstained=abstained, majority=TWO_THIRDS, quorum=quorum)
    assert result.ground is ground
    assert result.carried == (ground is TextGround.CARRIED) == (yes >= result.needed)


def test_no_vote_ever_works_against_who_casts_it() -> None:
    for majority, yes, no, abstained, quorum in product(
        (MORE_THAN_HALF, TWO_THIRDS), range(6), range(6), range(3), range(10)
    ):

        def carried(
            more_yes: int = 0,
            more_no: int = 0,
            yes: int = yes,
            no: int = no,
            abstained: int = abstained,
            quorum: int = quorum,
        ) -> bool:
            return tally_text(
                yes=yes + more_yes,
                no=no + more_no,
                abstained=abstained,
                majority=majority,  # noqa: B023  called within the same round
                quorum=quorum,
            ).carried

        assert carried(more_no=1) <= carried() <= carried(more_yes=1)


def test_negative_votes_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        tally_text(yes=-1, no=0, majority=MORE_THAN_HALF)
