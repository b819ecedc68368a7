"""The one stream of the assembly: every member's socket follows it beside the member's own."""

from typing import Final
from uuid import UUID

# A fixed name (RFC 9562, version 8) that no key made here can ever have.
ASSEMBLY_STREAM: Final = UUID("a55e3b1f-0000-8000-8000-000000000001")
