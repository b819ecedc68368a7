"""HTTP of payouts: what a member sees and sets, and what staff does."""

from fastapi import APIRouter

from app.foundation.web import MAX_BODY_BYTES
from app.payouts.routes import batches, own, paying
from app.payouts.status_report import MOST_BYTES

router = APIRouter()
router.include_router(own.router)
router.include_router(batches.router)
router.include_router(paying.router)


def most_bytes(path: str) -> int:
    """Return the largest body that a path takes: a bank's file is larger than any other."""
    # A quarter more, since each quotation mark of the file has a sign before it in JSON.
    return MOST_BYTES + MOST_BYTES // 4 if path.endswith("/statuses") else MAX_BODY_BYTES
