"""Casts ballots in a process of its own and prints each receipt's leaf, until it is killed.

The clock's worker is there as well: it publishes batches all the while.
"""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from app.assembly.ballots import service
from app.foundation.database import open_database
from app.foundation.hints import Hints
from app.settings import Settings
from governance.manifest import manifest_from


async def main(story: dict[str, Any]) -> None:
    settings = Settings(home=Path(story["home"]), ballot_batch=5)
    now = datetime.fromisoformat(story["now"])
    election_id, manifest = UUID(story["election"]), manifest_from(story["manifest"])
    ballots = iter(story["ballots"])

    async def cast() -> None:
        for document in ballots:
            receipt = await service.accept_ballot(
                database,
                election_id=election_id,
                manifest=manifest,
                document=document,
                home=settings.home,
                now=now,
            )
            print(receipt["leaf"], flush=True)  # noqa: T201 - the parent listens

    async def publish() -> None:
        while True:
            await service.publish_batch(
                database, election_id=election_id, manifest=manifest, settings=settings, now=now
            )
            await asyncio.sleep(0.001)

    async with open_database(story["dsn"], hints=Hints()) as database, asyncio.TaskGroup() as tasks:
        publisher = tasks.create_task(publish())
        async with asyncio.TaskGroup() as casters:
            for _ in range(4):
                casters.create_task(cast())
        publisher.cancel()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
