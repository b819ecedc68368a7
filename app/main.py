"""The one place where all rooms meet: create_app()."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from app.after_ride import routes as after_ride
from app.after_ride.service.splits import settle_splits
from app.assembly import deadlines
from app.assembly import routes as assembly
from app.city import load_city
from app.dispatch import routes as dispatch
from app.dispatch.service import accept_offer, decline_offer, forget_rounds
from app.dispatch.sharing import Sharing
from app.dispatch.solver import Solver
from app.dispatch.tick import Dispatcher
from app.drivers import routes as drivers
from app.drivers.positions import Positions
from app.fares import routes as fares
from app.forecast import routes as forecast
from app.forecast.service import Years
from app.foundation import health
from app.foundation.clock import Clock, ScaledClock, SystemClock
from app.foundation.database import open_database
from app.foundation.hints import Hints
from app.foundation.schemas import ProblemDetails
from app.foundation.tls import authorities
from app.foundation.web import Door, install_problem_handlers
from app.guests import routes as guests
from app.guests import texts as guest_texts
from app.ledger.periods import keep_books
from app.ledger.seals import keep_sealed
from app.members import routes as members
from app.members.service import forget_old
from app.members.sms import make_sms
from app.outlook import routes as outlook
from app.outlook.advisor import Advisor
from app.pay_floor import routes as pay_floor
from app.pay_floor.service import fill_up_weeks
from app.payments import routes as payments
from app.payments import sending as payment_sending
from app.payments.provider import open_provider
from app.payouts import routes as payouts
from app.realtime import routes as realtime
from app.realtime.service import Realtime
from app.reciprocity import routes as reciprocity
from app.reciprocity.service import outbox
from app.rides import routes as rides
from app.rides.scheduled import keep_schedule
from app.rides.service import cancel_unpaid, give_up_searches
from app.roads import routes as roads_routes
from app.roads.calibrate import keep_calibrated, take_newest
from app.roads.open import open_places, open_roads
from app.roads.places import Places
from app.roads.service import Roads
from app.settings import Settings
from app.solidarity import routes as solidarity
from app.solidarity.service.guarantees import keep_guarantee
from app.solidarity.service.months import keep_month
from app.statements import routes as statements
from app.statements.press import Press
from app.surplus import routes as surplus
from app.transparency import routes as transparency
from app.transparency.service import publish_due
from app.voting import module as ballot_module
from app.workers.loop import Worker, run_workers

GIVE_UP_PACE_S = 5.0
SCHEDULE_PACE_S = 5.0
HINTS_PACE_S = 60.0
YEARS_PACE_S = 600.0
HOUSEKEEPING_PACE_S = 600.0
BOOKS_PACE_S = 60.0
SPLITS_PACE_S = 10.0
PAY_FLOOR_PACE_S = 600.0
SEALS_PACE_S = 2.0
TRANSPARENCY_PACE_S = 5.0
PAYMENTS_PACE_S = 2.0
PAYMENTS_LOOK_PACE_S = 60.0
GUARANTEE_PACE_S = 30.0
SOLIDARITY_PACE_S = 600.0
CALIBRATION_PACE_S = 24 * 3600.0

_DESCRIPTION = """
The API of a driver-owned ride-hailing cooperative. Riders book, driver-members drive, the assembly
decides which share of a fare the cooperative keeps.

Money is in whole minor units of one currency, shares in basis points, distances in metres,
durations in seconds, times in RFC 3339 UTC. Every refusal is `application/problem+json`; its `type`
leads to a page. A command needs an `Idempotency-Key`; repeat it with the same key until it answers.
Live news come through the WebSocket at `/v1/socket`, described in `/asyncapi.json`.
"""


def make_clock(settings: Settings) -> Clock:
    """Return the system's clock, or in the demo profile the scaled one."""
    if settings.clock_start is None or settings.clock_anchor_s is None:
        return SystemClock()
    return ScaledClock(settings.clock_start, settings.clock_anchor_s, settings.clock_speed)


def _workers(app: FastAPI, dispatcher: Dispatcher) -> list[Worker]:
    """Return what is done again and again, and how often."""
    settings: Settings = app.state.settings
    database, clock, positions = app.state.database, app.state.clock, app.state.positions
    sms = make_sms(settings, clock=clock)

    async def tidy() -> None:
        async with database.transaction() as tx:
            await forget_old(tx, now=clock.now())
        async with database.transaction() as tx:
            await forget_rounds(tx, now=clock.now(), keep_days=settings.explanation_days)

    async def calibrate() -> None:
        await keep_calibrated(
            app.state.roads, database, time_zone=app.state.city.time_zone, now=clock.now()
        )

    async def pay() -> None:
        provider = app.state.card_provider
        await payment_sending.run_once(database, provider.port, now=clock.now())
        await provider.tell_all()
        await cancel_unpaid(database, now=clock.now())

    return [
        Worker("dispatch", dispatcher.run_once, settings.tick_s),
        Worker(
            "positions",
            lambda: positions.keep(database, now=clock.now()),
            settings.position_flush_s,
        ),
        Worker("searches", lambda: give_up_searches(database, now=clock.now()), GIVE_UP_PACE_S),
        Worker("schedule", lambda: keep_schedule(database, now=clock.now()), SCHEDULE_PACE_S),
        Worker(
            "assembly",
            app.state.deadlines.run_once,
            deadlines.PACE_S,
            timeout_s=deadlines.ROUND_TIMEOUT_S,
        ),
        Worker(
            "reciprocity",
            app.state.outbox.run_once,
            outbox.PACE_S,
            timeout_s=outbox.ROUND_TIMEOUT_S,
        ),
        Worker("hints", app.state.advisor.run_once, HINTS_PACE_S),
        Worker(
            "years",
            lambda: app.state.years.outcome(database, now=clock.now()),
            YEARS_PACE_S,
            timeout_s=300.0,
        ),
        Worker("housekeeping", tidy, HOUSEKEEPING_PACE_S),
        Worker("books", lambda: keep_books(database, now=clock.now()), BOOKS_PACE_S),
        Worker(
            "guests",
            lambda: guest_texts.tell_guests(database, sms, now=clock.now()),
            guest_texts.PACE_S,
            timeout_s=guest_texts.ROUND_TIMEOUT_S,
        ),
        Worker("splits", lambda: settle_splits(database, now=clock.now()), SPLITS_PACE_S),
        Worker(
            "pay floor",
            lambda: fill_up_weeks(database, now=clock.now()),
            PAY_FLOOR_PACE_S,
            timeout_s=300.0,
        ),
        Worker(
            "seals",
            lambda: keep_sealed(database, home=settings.home, now=clock.now()),
            SEALS_PACE_S,
        ),
        Worker(
            "transparency",
            lambda: publish_due(database, now=clock.now()),
            TRANSPARENCY_PACE_S,
            timeout_s=120.0,
        ),
        Worker("payments", pay, PAYMENTS_PACE_S),
        Worker(
            "payments watch",
            lambda: payment_sending.look_after(
                database, app.state.card_provider.port, now=clock.now()
            ),
            PAYMENTS_LOOK_PACE_S,
            timeout_s=300.0,
        ),
        Worker("guarantee", lambda: keep_guarantee(database, now=clock.now()), GUARANTEE_PACE_S),
        Worker("solidarity", lambda: keep_month(database, now=clock.now()), SOLIDARITY_PACE_S),
        Worker("calibration", calibrate, CALIBRATION_PACE_S),
    ]


def create_app(
    settings: Settings,
    *,
    dsn: str,
    clock: Clock | None = None,
    roads: Roads | None = None,
    places: Places | None = None,
    solver: Solver | None = None,
    workers: bool = True,
) -> FastAPI:
    """Return the program as an ASGI application; its lifespan opens and closes all it needs.

    ``roads``, ``places`` and ``solver`` may be handed in ready. Without ``workers`` the loops stand
    still, and a test calls their rounds itself.
    """
    city = load_city(settings.city)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            state = app.state
            state.database = await stack.enter_async_context(
                open_database(dsn, hints=state.hints, size=settings.database_connections)
            )
            state.roads = roads or await stack.enter_async_context(
                open_roads(city, home=settings.home, router_url=settings.router_url)
            )
            await take_newest(state.roads, state.database)
            state.places = places or await open_places(city, home=settings.home)
            await state.positions.load(state.database, now=state.clock.now())
            await stack.enter_async_context(state.realtime.running(state.database))
            state.solver = solver or stack.enter_context(Solver())
            sharing = Sharing(
                database=state.database,
                roads=state.roads,
                positions=state.positions,
                solver=state.solver,
                time_zone=city.time_zone,
            )
            state.estimate_shared = sharing.estimate
            state.dispatcher = Dispatcher(
                database=state.database,
                clock=state.clock,
                roads=state.roads,
                positions=state.positions,
                solver=state.solver,
                time_zone=city.time_zone,
                max_pickup_s=settings.max_pickup_s,
                window_s=settings.tick_s,
                empty_km_minor=settings.empty_km_minor,
                sharing=sharing,
            )
            state.advisor = Advisor(
                database=state.database,
                clock=state.clock,
                roads=state.roads,
                positions=state.positions,
                solver=state.solver,
                city=city,
                places=state.places,
            )
            http = await stack.enter_async_context(
                httpx.AsyncClient(trust_env=False, verify=authorities())
            )
            # What signs the double's events never leaves this process.
            state.card_provider = await stack.enter_async_context(
                open_provider(settings, app=app, secret=secrets.token_urlsafe())
            )
            state.deadlines = deadlines.Deadlines(
                database=state.database, clock=state.clock, settings=settings, client=http
            )
            state.outbox = outbox.Outbox(
                database=state.database, clock=state.clock, home=settings.home, client=http
            )
            if workers:
                await state.solver.warm_up()
                await stack.enter_async_context(
                    run_workers(_workers(app, state.dispatcher), state.clock)
                )
            yield

    app = FastAPI(
        title="Meent",
        version="0.1.0",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.city = city
    app.state.clock = clock or make_clock(settings)
    app.state.hints = Hints()
    app.state.years = Years()
    app.state.press = Press()
    app.state.positions = Positions(stale_s=settings.position_stale_s)
    app.state.realtime = Realtime(
        hints=app.state.hints,
        clock=app.state.clock,
        positions=app.state.positions,
        acts={"accept_offer": accept_offer, "decline_offer": decline_offer},
    )
    install_problem_handlers(app)
    for room in (
        members,
        assembly,
        roads_routes,
        fares,
        drivers,
        rides,
        dispatch,
        outlook,
        after_ride,
        guests,
        pay_floor,
        forecast,
        payments,
        payouts,
        reciprocity,
        surplus,
        solidarity,
        transparency,
        statements,
        realtime,
        ballot_module,
        health,
    ):
        app.include_router(room.router)
    _describe_problems(app)
    app.add_middleware(Door, most_bytes=payouts.most_bytes)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Put the shape of a problem into the OpenAPI document; each operation refers to it."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
        return document

    app.openapi = openapi  # type: ignore[method-assign]
