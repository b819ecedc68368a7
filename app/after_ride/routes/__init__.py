"""HTTP of what happens after a ride."""

from fastapi import APIRouter

from app.after_ride.routes import disputes, splits, tips

router = APIRouter()
router.include_router(tips.router)
router.include_router(disputes.router)
router.include_router(splits.router)
