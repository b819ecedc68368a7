"""Who of the demo's people become members, and what they want: drawn by the seed, counted by none.

What comes of it is the assembly's business: nothing here knows a rule, a quorum or a result.
"""

from collections.abc import Sequence
from random import Random

from app.demo.plan import PlannedDriver, PlannedMember, PlannedRider
from governance.electorate import House

JOIN_SHARE = {House.DRIVERS: 0.6, House.RIDERS: 0.35}
MOST_OF_A_HOUSE = 50  # all of them live on one machine
# A proposal needs supporters besides its author, and a vote both houses.
FEWEST, FEWEST_OF_A_HOUSE = 8, 3
STAYS_AWAY = 0.12  # share of a house that does not vote
CHANGES_MIND = 0.1  # of those who vote
COMES_LATE = 0.2  # of those who vote: fetch their stamps when voting has begun

# What members of each house want of the share that the cooperative keeps, as a change of it in
# basis points, and how many in a hundred want it.
_WANTED = {
    House.DRIVERS: ((-400, 15), (-300, 50), (-200, 20), (0, 15)),
    House.RIDERS: ((-300, 15), (-200, 50), (-100, 15), (0, 15), (100, 5)),
}


def plan_members(
    *,
    houses: Sequence[House],
    drivers: Sequence[PlannedDriver],
    riders: Sequence[PlannedRider],
    seed: int,
) -> tuple[PlannedMember, ...]:
    """Return who becomes a member, house by house; nobody where there are too few for a vote."""
    random = Random(seed + 3)  # noqa: S311 - its own, so that nobody else's day changes
    phones = {
        House.DRIVERS: [driver.phone for driver in drivers],
        House.RIDERS: [rider.phone for rider in riders],
    }
    seats = [_house(house, phones[house], random=random) for house in houses]
    members = tuple(member for house in seats for member in house)
    enough = len(members) >= FEWEST and min(map(len, seats)) >= FEWEST_OF_A_HOUSE
    return members if enough else ()


def _house(house: House, phones: Sequence[str], *, random: Random) -> list[PlannedMember]:
    many = min(round(len(phones) * JOIN_SHARE[house]), MOST_OF_A_HOUSE)
    joining = random.sample(list(phones), many)
    away = round(many * STAYS_AWAY)
    wanted = _deal(house, many - away, random=random)
    other = _deal(house, many - away, random=random)
    members = []
    for number, phone in enumerate(joining):
        votes = number < many - away
        changes_mind = votes and random.random() < CHANGES_MIND
        members.append(
            PlannedMember(
                phone=phone,
                house=house,
                joins_at=(number + random.random()) / many,
                wants_bp=wanted[number] if votes else None,
                wanted_first_bp=other[number] if changes_mind else None,
                fetches_at=random.random(),
                comes_late=random.random() < COMES_LATE,
                casts_at=random.random(),
            )
        )
    return members


def _deal(house: House, many: int, *, random: Random) -> list[int]:
    """Return as many wishes, in the house's proportions, shuffled."""
    deck = [wish for wish, parts in _WANTED[house] for _ in range(parts)]
    dealt = [deck[int((place + 0.5) * len(deck) / many)] for place in range(many)]
    random.shuffle(dealt)
    return dealt
