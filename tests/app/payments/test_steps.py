"""The table of a payment's steps stands twice, in the program and in the database: alike."""

import re

import asyncpg

from app.payments.rules import STEPS


async def test_the_database_lets_a_payment_take_the_programs_steps_and_no_others(
    owner: asyncpg.Connection,
) -> None:
    source = await owner.fetchval(
        "select prosrc from pg_proc where prosrc like '%(old.state, new.state) not in%'"
        " and prosrc like '%charged_back%'"
    )

    written = set(re.findall(r"\('(\w+)', '(\w+)'\)", source))

    assert written == {(str(old), str(new)) for new, olds in STEPS.items() for old in olds}
