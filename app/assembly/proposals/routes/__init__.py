"""HTTP of proposals: draft and support, discuss, amend, and the panel drawn by lot."""

from fastapi import APIRouter

from app.assembly.proposals.routes import amendments, comments, panels, proposals

router = APIRouter(tags=["proposals"])
for subject in (proposals, comments, amendments, panels):
    router.include_router(subject.router)
