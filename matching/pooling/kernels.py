"""The compiled steps that read and change the routes of all cars, without any new memory.

They and their constants stand in one file because Numba keeps machine code until the file of the
*outermost* function changes: a step in another file could be the one of yesterday.

A stop is a number: r is the pickup of request r, r + count its drop-off. All times are whole
deciseconds. For each stop the latest beginning that still keeps every later promise is kept up to
date, so that a place for a new stop is judged in constant time (Savelsbergh 1992, "The vehicle
routing problem with time windows: minimizing route duration", forward slack). This and the choice
of cars asked at all take it that no detour is shorter than the direct way; where one is, a shorter
route may be missed, but no promise is broken.
"""

import numpy as np

from matching.arrays import IntArray
from matching.compiled import compiled
from matching.pooling.tables import Board, RandomState, Walk
from matching.pooling.words import TravelArray

NEVER = 1 << 60

# How the search goes about it: what did best on made-up cities of 100 requests and 60 cars.
FEWEST_OUT, MOST_OUT = 2, 14
PASSED_OVER = 0.35  # The chance that a neighbour of the party taken out first stays in its car.
WHOLE_CARS = 0.5  # The chance that the others in the same cars are taken out as well.
SHUFFLED = 0.8  # The chance that they are put back in random order.
BLINK = 0.01  # The chance that a car is overlooked.
HOT_DS, COLD_DS = 3000.0, 50.0  # The first and the last temperature.

# The columns of the tables of a board, as told there.
PLACE, EARLIEST, LATEST, PARTY = range(4)
HOME, READY, SEATS, ABOARD, LOCKED, LENGTH, BUSY, VERSION = range(8)
STOP, START, TAIL, INSIDE = range(4)
PRICE, CAR, FIRST_EDGE = range(3)
VEHICLE, AS_OF, ADDED, PICKUP_AT, DROPOFF_AT = range(5)


@compiled
def retime(board: Board, car: int) -> None:
    """Moments, riders inside and busy time of this route are those of its stops, anew."""
    legs, stops, route, facts = board.legs, board.stops, board.routes[car], board.cars[car]
    moment, place, inside, busy = facts[READY], facts[HOME], facts[ABOARD], 0
    for at in range(facts[LENGTH]):
        stop = stops[route[at, STOP]]
        leg = legs[place, stop[PLACE]]
        place = stop[PLACE]
        moment = max(moment + leg, stop[EARLIEST])
        inside += stop[PARTY]
        busy += leg
        route[at, START] = moment
        route[at, INSIDE] = inside
    tail, place = NEVER, -1
    for at in range(facts[LENGTH] - 1, -1, -1):
        stop = stops[route[at, STOP]]
        if place >= 0:
            tail -= legs[stop[PLACE], place]
        tail = min(tail, stop[LATEST])
        place = stop[PLACE]
        route[at, TAIL] = tail
    board.requests[-1, CAR] += 1
    facts[BUSY], facts[VERSION] = busy, board.requests[-1, CAR]


@compiled
def best_dropoff(
    legs: TravelArray, stops: IntArray, cars: IntArray, routes: IntArray,
    car: int, request: int, at: int, drive: int, moment: int,
) -> tuple[int, int]:  # fmt: skip
    """What boarding at `moment`, before stop `at`, adds at least to the busy time; where to end.

    `drive` is the leg to the pickup less the leg that it replaces. The second number is how many of
    the present stops come before the drop-off; the first is NEVER if there is no place for it.
    """
    goal, due = stops[request + len(stops) // 2, PLACE], stops[request + len(stops) // 2, LATEST]
    room = cars[car, SEATS] - stops[request, PARTY]
    here, count = stops[request, PLACE], cars[car, LENGTH]
    least, where, added = NEVER, -1, drive
    for behind in range(at, count + 1):
        last = legs[here, goal]
        # Where the goal is too far from here already, a detour to another stop is no help.
        if moment + last > due:
            break
        if behind == count:
            if added + last < least:
                least, where = added + last, behind
            break
        stop = routes[car, behind, STOP]
        ahead, tail = stops[stop, PLACE], routes[car, behind, TAIL]
        leg = legs[here, ahead]
        onward = last + legs[goal, ahead]
        total = added + onward
        if behind > at:
            total -= leg
        if total < least and moment + onward <= tail:
            least, where = total, behind
        if behind == at:
            added += leg
        moment = max(moment + leg, stops[stop, EARLIEST])
        if moment > tail or added >= least or routes[car, behind, INSIDE] > room:
            break
        here = ahead
    return least, where


@compiled
def look(board: Board, request: int, edge: int) -> None:
    """The edge holds what its best insertion adds, and where, as of the route's version."""
    legs, stops, cars, routes = board.legs, board.stops, board.cars, board.routes
    car = board.edges[edge, VEHICLE]
    door, latest = stops[request, PLACE], stops[request, LATEST]
    soonest, party = stops[request, EARLIEST], stops[request, PARTY]
    count, room = cars[car, LENGTH], cars[car, SEATS] - party
    least, pickup_at, dropoff_at = NEVER, -1, -1
    moment, place, inside = cars[car, READY], cars[car, HOME], cars[car, ABOARD]
    for at in range(count + 1):
        if at > 0:
            moment, inside = routes[car, at - 1, START], routes[car, at - 1, INSIDE]
            place = stops[routes[car, at - 1, STOP], PLACE]
        if moment > latest or count + 2 > routes.shape[1]:
            break
        if at < cars[car, LOCKED] or inside > room:
            continue
        added = legs[place, door]
        boards = max(moment + added, soonest)
        if boards > latest:
            continue
        if at < count:
            added -= legs[place, stops[routes[car, at, STOP], PLACE]]
        added, where = best_dropoff(legs, stops, cars, routes, car, request, at, added, boards)
        if added < least:
            least, pickup_at, dropoff_at = added, at, where
    board.edges[edge, AS_OF], board.edges[edge, ADDED] = cars[car, VERSION], least
    board.edges[edge, PICKUP_AT], board.edges[edge, DROPOFF_AT] = pickup_at, dropoff_at


@compiled
def put_in(board: Board, request: int, edge: int) -> None:
    """The party rides in the car of this edge, at the places found by `look`."""
    car = board.edges[edge, VEHICLE]
    pickup_at, dropoff_at = board.edges[edge, PICKUP_AT], board.edges[edge, DROPOFF_AT]
    route = board.routes[car]
    for at in range(board.cars[car, LENGTH] - 1, dropoff_at - 1, -1):
        route[at + 2, STOP] = route[at, STOP]
    route[dropoff_at + 1, STOP] = request + len(board.stops) // 2
    for at in range(dropoff_at - 1, pickup_at - 1, -1):
        route[at + 1, STOP] = route[at, STOP]
    route[pickup_at, STOP] = request
    board.cars[car, LENGTH] += 2
    board.requests[request, CAR] = car
    retime(board, car)


@compiled
def take_out(board: Board, request: int) -> None:
    """The party rides with nobody. The car's moments are wrong until `retime`."""
    car, kept = board.requests[request, CAR], 0
    route = board.routes[car]
    for at in range(board.cars[car, LENGTH]):
        stop = route[at, STOP]
        if stop not in (request, request + len(board.stops) // 2):
            route[kept, STOP] = stop
            kept += 1
    board.cars[car, LENGTH] = kept
    board.requests[request, CAR] = -1


@compiled
def chance(random: RandomState) -> float:
    """A number from 0 to 1, below it (SplitMix64: Steele, Lea and Flood 2014)."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = random[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return float(mixed >> np.uint64(11)) * 2.0**-53


@compiled
def cheapest(board: Board, request: int, blink: float) -> tuple[int, int]:
    """What the best insertion over all cars adds, and its edge; (NEVER, -1) if there is none.

    Each car is overlooked with the chance `blink`.
    """
    asked, edges, least, best = board.requests, board.edges, NEVER, -1
    for edge in range(asked[request, FIRST_EDGE], asked[request + 1, FIRST_EDGE]):
        if blink > 0 and chance(board.random) < blink:
            continue
        if edges[edge, AS_OF] != board.cars[edges[edge, VEHICLE], VERSION]:
            look(board, request, edge)
        if edges[edge, ADDED] < least:
            least, best = edges[edge, ADDED], edge
    return least, best


@compiled
def put_in_order(board: Board, order: IntArray) -> None:
    """Each of these requests rides where it adds the least, if it is not carried yet."""
    for request in order:
        if board.requests[request, CAR] >= 0:
            continue
        added, edge = cheapest(board, request, 0.0)
        if added < board.requests[request, PRICE]:
            put_in(board, request, edge)


@compiled
def put_by_regret(board: Board) -> None:
    """Whoever is not carried rides where it adds the least, in the order of regret."""
    asked, edges = board.requests, board.edges
    while True:
        chosen, chosen_edge, most, chosen_added = -1, -1, -1, NEVER
        for request in range(len(asked) - 1):
            if asked[request, CAR] >= 0:
                continue
            # Not serving is the last choice, and it has a price.
            least, second, best = asked[request, PRICE], asked[request, PRICE], -1
            for edge in range(asked[request, FIRST_EDGE], asked[request + 1, FIRST_EDGE]):
                if edges[edge, AS_OF] != board.cars[edges[edge, VEHICLE], VERSION]:
                    look(board, request, edge)
                added = edges[edge, ADDED]
                if added < least:
                    least, second, best = added, least, edge
                elif added < second:
                    second = added
            regret = second - least
            if best >= 0 and (regret > most or (regret == most and least < chosen_added)):
                chosen, chosen_edge, most, chosen_added = request, best, regret, least
        if chosen < 0:
            return
        put_in(board, chosen, chosen_edge)


@compiled
def remember(walk: Walk, car: int, step: int, changed: int) -> int:
    """The car is on the list of those changed in this step; how many are."""
    if walk.changed_in[car] == step:
        return changed
    walk.changed_in[car] = step
    walk.changed[changed] = car
    return changed + 1


@compiled
def copy_route(
    cars: IntArray, routes: IntArray, to_cars: IntArray, to_routes: IntArray, car: int
) -> None:
    """The car's rows in the second pair of tables are as in the first."""
    for column in range(cars.shape[1]):
        to_cars[car, column] = cars[car, column]
    for at in range(cars[car, LENGTH]):
        for column in range(routes.shape[2]):
            to_routes[car, at, column] = routes[car, at, column]


@compiled
def empty(board: Board, car: int) -> int:
    """Whoever may leave the car rides with nobody; how many they are."""
    asked, half, at, taken = board.requests, len(board.stops) // 2, 0, 0
    while at < board.cars[car, LENGTH]:
        # Who has no edge was promised this car.
        request = board.routes[car, at, STOP]
        if request < half and asked[request, FIRST_EDGE] < asked[request + 1, FIRST_EDGE]:
            take_out(board, request)
            taken += 1
        else:
            at += 1
    return taken


@compiled
def ruin(board: Board, walk: Walk, step: int) -> tuple[int, int]:
    """Some parties near a random one ride with nobody: how many cars changed, and who is out.

    Out are also all who had no car before; they stand in `walk.out`, the longest drive first.
    """
    changed, taken, whole_cars = 0, 0, chance(board.random) < WHOLE_CARS
    wanted = FEWEST_OUT + int(chance(board.random) * (MOST_OUT - FEWEST_OUT + 1))
    row = walk.near[int(chance(board.random) * len(walk.near))]
    for place in range(len(row)):
        if taken >= wanted:
            break
        request = row[place]
        if place > 0 and chance(board.random) < PASSED_OVER:
            continue
        car = board.requests[request, CAR]
        if car < 0:
            continue
        changed = remember(walk, car, step, changed)
        take_out(board, request)
        taken += 1 + (empty(board, car) if whole_cars else 0)
    for number in range(changed):
        retime(board, walk.changed[number])
    out = 0
    for place in range(len(walk.near)):
        if board.requests[walk.near[place, 0], CAR] < 0:
            walk.out[out] = walk.near[place, 0]
            out += 1
    return changed, out


@compiled
def line_up(board: Board, walk: Walk, out: int) -> None:
    """Mostly, who is out stands in random order; else the longest drive stays first."""
    if chance(board.random) >= SHUFFLED:
        return
    line = walk.out
    for place in range(out - 1, 0, -1):
        other = int(chance(board.random) * (place + 1))
        line[place], line[other] = line[other], line[place]


@compiled
def recreate(board: Board, walk: Walk, step: int, changed: int, out: int) -> int:
    """Everybody who is out and fits in rides again: the number of cars changed in this step."""
    for place in range(out):
        request = walk.out[place]
        added, edge = cheapest(board, request, BLINK)
        if added < board.requests[request, PRICE]:
            changed = remember(walk, board.edges[edge, VEHICLE], step, changed)
            put_in(board, request, edge)
    return changed


@compiled
def cost_now(board: Board) -> int:
    """The busy time of all cars and the price of all who have none."""
    cost = 0
    for car in range(len(board.cars)):
        cost += board.cars[car, BUSY]
    for request in range(len(board.requests) - 1):
        if board.requests[request, CAR] < 0:
            cost += board.requests[request, PRICE]
    return cost


@compiled
def undo(board: Board, walk: Walk, changed: int, out: int) -> None:
    """The routes are those before this step."""
    for place in range(out):
        board.requests[walk.out[place], CAR] = -1
    half = len(board.stops) // 2
    for number in range(changed):
        car = walk.changed[number]
        copy_route(walk.cars, walk.routes, board.cars, board.routes, car)
        for at in range(board.cars[car, LENGTH]):
            board.requests[board.routes[car, at, STOP] % half, CAR] = car


@compiled
def wander(board: Board, walk: Walk, begin: int, end: int, iterations: int) -> None:
    """Steps `begin` up to `end` of `iterations`; the best routes and the costs are in `walk`."""
    for step in range(begin, end):
        changed, out = ruin(board, walk, step)
        line_up(board, walk, out)
        changed = recreate(board, walk, step, changed, out)
        cost, heat = cost_now(board), HOT_DS * (COLD_DS / HOT_DS) ** (step / iterations)
        if cost >= walk.cost[0] - heat * np.log(chance(board.random) + 1e-12):
            undo(board, walk, changed, out)
            continue
        for number in range(changed):
            copy_route(board.cars, board.routes, walk.cars, walk.routes, walk.changed[number])
        walk.cost[0] = cost
        if cost < walk.cost[1]:
            walk.cost[1] = cost
            for car in range(len(board.cars)):
                copy_route(board.cars, board.routes, walk.best_cars, walk.best_routes, car)
