"""Ourselves among sisters, for every operation that signs or is named."""

import asyncio
from typing import Annotated

from fastapi import Depends

from app.members.access import SettingsDep
from app.reciprocity.papers import load_own_key
from app.reciprocity.service.peers import Own, own_of


async def get_own(settings: SettingsDep) -> Own:
    """Return our key and id."""
    return own_of(await asyncio.to_thread(load_own_key, settings.home))


OwnDep = Annotated[Own, Depends(get_own)]
