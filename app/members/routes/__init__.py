"""HTTP of the members' room."""

from fastapi import APIRouter

from app.members.routes import (
    account,
    driving,
    erasures,
    people,
    register,
    seals,
    sign_in,
    statement,
)

router = APIRouter()
router.include_router(sign_in.router)
router.include_router(people.router)
router.include_router(driving.router)
router.include_router(register.router)
router.include_router(account.router)
router.include_router(statement.router)
router.include_router(seals.router)
router.include_router(erasures.router)
