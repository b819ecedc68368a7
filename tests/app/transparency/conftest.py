"""The cooperative whose year is closed in the surplus' own tests."""

from tests.app.surplus.conftest import town

__all__ = ["town"]
