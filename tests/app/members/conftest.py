"""Phones on which to sign in."""

from collections.abc import Callable

import httpx
import pytest

from app.settings import Settings
from tests.app.members.phone import PHONE, Phone


@pytest.fixture
def phone_with(client: httpx.AsyncClient, settings: Settings) -> Callable[[str], Phone]:
    """A phone with a number of its own."""
    return lambda number: Phone(client, settings, number)


@pytest.fixture
def phone(phone_with: Callable[[str], Phone]) -> Phone:
    return phone_with(PHONE)
