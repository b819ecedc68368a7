"""What a replayed driver is paid by the city's own rules, and what driving empty costs her."""

import numpy as np

from app.city import City
from app.fares.rules import itemise
from governance.commission import split_fare
from matching.arrays import FloatArray, IntArray

# What a kilometre costs whoever drives it: energy, tyres, wear, in minor units. Some 0.30 in euros,
# francs, dollars or pounds, as for a small electric or hybrid car; no rent, no insurance, which are
# paid whether one drives or not. Other currencies begin at the same and should be told better.
EMPTY_KM_COST_MINOR = {"EUR": 30.0, "CHF": 30.0, "USD": 30.0, "GBP": 25.0}
USUAL_EMPTY_KM_COST_MINOR = 30.0


def empty_km_cost_minor(city: City) -> float:
    """Return what a kilometre without a rider costs a driver of this city."""
    return EMPTY_KM_COST_MINOR.get(city.currency, USUAL_EMPTY_KM_COST_MINOR)


def driver_net_minor(city: City, *, distance_m: IntArray, ride_s: FloatArray) -> FloatArray:
    """Return per trip what its driver is paid: the city's fare less the founding commission."""
    net = []
    for metres, seconds in zip(distance_m.tolist(), ride_s.tolist(), strict=True):
        items = itemise(city.tariff, distance_m=metres, duration_s=round(seconds))
        fare_minor = sum(item.amount_minor for item in items)
        split = split_fare(fare_minor, commission_bp=city.statutes.commission_bp)
        net.append(split.driver_net_minor)
    return np.array(net, dtype=np.float64)
