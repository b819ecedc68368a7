"""What is measured, in base units and with few labels; never a place, a name or a ballot."""

from prometheus_client import Counter, Gauge, Histogram

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

HTTP_SECONDS = Histogram(
    "meent_http_request_duration_seconds",
    "Time from the request to the end of its answer",
    ["method", "route", "status"],
    buckets=_QUICK,
)
RIDES = Counter("meent_rides_total", "Rides by the step they took", ["step"])
OFFERS = Counter("meent_offers_total", "Offers by what became of them", ["result"])
POSITIONS = Counter("meent_positions_total", "Reported positions by what was done", ["result"])
SOCKETS = Gauge("meent_sockets_open", "Sockets that said hello")
SOCKET_CLOSED = Counter("meent_sockets_closed_total", "Sockets closed by us", ["code"])
SOCKET_DROPPED = Counter(
    "meent_socket_messages_dropped_total", "Messages a slow reader did not get", ["kind"]
)
TICK_SECONDS = Histogram(
    "meent_dispatch_tick_duration_seconds", "One dispatch tick, whole", buckets=_QUICK
)
TICK_SOLVE_SECONDS = Histogram(
    "meent_dispatch_solve_duration_seconds", "The solver's part of a tick", buckets=_QUICK
)
DISPATCH_GAP = Gauge(
    "meent_dispatch_gap",
    "How much dearer than the best over all pairs the last tick may be, as a share; NaN: unproven",
)
HELD_RIDERS = Gauge(
    "meent_dispatch_held_riders", "Riders whom the last tick kept for a driver who is soon free"
)
HINTS = Counter("meent_hints_total", "Hints where to wait that drivers were given", ["based_on"])
ROUTER_ESTIMATES = Counter(
    "meent_router_estimates_total", "Answers given by the straight line as the router was away"
)
WORKER_FAILURES = Counter(
    "meent_worker_failures_total", "Rounds of a worker that ended in an error", ["worker"]
)
LOOP_LAG_SECONDS = Histogram(
    "meent_event_loop_lag_seconds", "How late the event loop woke", buckets=_QUICK
)
SEAL_LAG_SECONDS = Gauge(
    "meent_seal_lag_seconds", "How long the oldest journal waits that is not sealed"
)
INVARIANT_VIOLATIONS = Gauge(
    "meent_invariant_violations", "Violations that the last audit of this process found"
)
