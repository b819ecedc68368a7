"""HTTP of payments: cards, what a provider tells, clients and invoices, what staff books."""

from fastapi import APIRouter

from app.payments.routes import clients, own, till, webhooks

router = APIRouter()
router.include_router(own.router)
router.include_router(webhooks.router)
router.include_router(clients.router)
router.include_router(till.router)
