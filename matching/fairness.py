"""Who has earned too little for the hours she was online, and how much that counts.

Fair is judged over time and never per ride (Sühr et al., KDD 2019): a driver far from the others'
income per online hour is drawn towards it by the next offers, a little at a time.
"""

import numpy as np

from matching.arrays import FloatArray, floats


def underpaid(earned_minor: FloatArray, *, online_s: FloatArray, scale_minor: float) -> FloatArray:
    """Per driver, from -1 to 1: what she lacks to the common income per online hour.

    The common rate is all income over all online time; a driver who has `scale_minor` less than
    that rate times her own online time counts as 1, who has as much more counts as -1. Income is
    what she may keep, net of the cost of driving empty, over the last days. With no online time at
    all everybody is at 0. Refused: arrays of other lengths, negative time, a scale of 0 or less.
    """
    if not 0 < scale_minor < np.inf:
        raise ValueError(f"scale_minor must be positive, got {scale_minor}")
    online = floats(online_s, name="online_s", low=0, high=np.inf)
    earned = floats(earned_minor, name="earned_minor", low=-np.inf, high=np.inf, length=len(online))
    total_s = float(online.sum())
    if total_s == 0:
        return np.zeros(len(online))
    lacking_minor = float(earned.sum()) / total_s * online - earned
    return np.clip(lacking_minor / scale_minor, -1.0, 1.0)
