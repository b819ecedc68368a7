"""HTTP of reciprocity: what staff do, what members and visitors do, what sisters send."""

from fastapi import APIRouter

from app.reciprocity.routes import members, sisters, staff, statements

router = APIRouter()
for part in (members, staff, statements, sisters):
    router.include_router(part.router)
