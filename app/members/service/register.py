"""The register as the assembly reads it: who is a member, in which house, with which key."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.members.queries import register as queries
from governance import electorate
from governance.electorate import House, Roll, RollRules


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A member on the register, as the rules see them, and the public key they have, if any."""

    member_id: UUID
    member: electorate.Member
    key: bytes | None


async def house_of(reader: Transaction, *, member_id: UUID, at: datetime) -> House | None:
    """Return the house in which a member stands at a moment; None for who is not on the register.

    On the register is who paid the share, was admitted and has not left; whether they are on the
    roll of a vote is a matter of waiting too.
    """
    house = await queries.find_house(reader, member_id=member_id, at=at)
    return None if house is None else House(house)


async def list_register(reader: Transaction, *, at: datetime) -> list[RegisterLine]:
    """Return everybody on the register at a moment, in the order of their ids."""
    rows = await queries.list_register(reader, at=at)
    return [
        RegisterLine(
            member_id=row["member_id"],
            member=electorate.Member(
                id=str(row["member_id"]),
                house=House(row["house"]),
                admitted_at=row["admitted_at"],
                shares_paid_at=row["shares_paid_at"],
                last_active_at=row["last_active_at"],
            ),
            key=row["public_key"],
        )
        for row in rows
    ]


async def freeze_roll(
    reader: Transaction, *, at: datetime, rules: RollRules
) -> tuple[Roll, dict[UUID, bytes | None]]:
    """Return the roll of a vote frozen at a moment, and the key of everybody on it, if any."""
    lines = await list_register(reader, at=at)
    roll = electorate.freeze_roll((line.member for line in lines), at=at, rules=rules)
    return roll, {line.member_id: line.key for line in lines if line.member.id in roll}


async def count_active(reader: Transaction, *, at: datetime, rules: RollRules) -> int:
    """Return how many of a roll frozen at a moment were active lately; support is a part of them.

    The same number as `len(roll.active)` of `freeze_roll`, without reading the register.
    """
    return await queries.count_active(
        reader, at=at, admitted_by=at - rules.waiting, active_since=at - rules.active_for
    )
