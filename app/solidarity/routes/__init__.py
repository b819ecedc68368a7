"""HTTP of solidarity: what members see, what they say of themselves, and what staff decides."""

from fastapi import APIRouter

from app.solidarity.routes import members, own, staff

router = APIRouter()
router.include_router(members.router)
router.include_router(own.router)
router.include_router(staff.router)
