"""HTTP of the forecast's room: what the platform costs, and a member's own year at each share."""

from fastapi import APIRouter

from app.forecast import cost_routes

router = APIRouter()
router.include_router(cost_routes.router)
