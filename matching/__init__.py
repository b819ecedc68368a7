"""Who goes to whom: a pure library. No SQL, no HTTP, no asyncio, no clock."""
