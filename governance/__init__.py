"""How members decide and share: a pure library. No SQL, no HTTP, no asyncio, no clock."""
