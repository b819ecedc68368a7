"""How drivers answer offers: after how long, and whether they come."""

from dataclasses import dataclass

import numpy as np

from matching.arrays import BoolArray, FloatArray, floats

# The pace of late answers is read off the last part of the time that offers stood.
LATE_PART = 1 / 3
ANSWERS, TAIL = 3, 4  # of the lots: which answer is drawn, and how late the late ones are


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answers as they were given, one entry each: after `after_s`, and whether the driver came.

    `after_s` is infinite for who would never answer. Refused: no entry, other lengths, an answer
    before the question.
    """

    after_s: FloatArray
    comes: BoolArray

    def __post_init__(self) -> None:
        after_s = floats(self.after_s, name="answers.after_s", low=0, high=np.inf)
        if not len(after_s):
            raise ValueError("answers must have an entry")
        comes = np.asarray(self.comes)
        if comes.shape != after_s.shape or comes.dtype != np.bool_:
            raise ValueError(f"answers.comes must have {len(after_s)} entries, true or false")
        object.__setattr__(self, "after_s", after_s)
        object.__setattr__(self, "comes", comes)

    def drawn(self, *, rider: int, driver: int, seed: int) -> tuple[float, bool]:
        """Draw one for this rider and driver alone, so that every policy meets the same moods."""
        lot = np.random.default_rng([seed, rider, driver, ANSWERS]).integers(len(self.after_s))
        return float(self.after_s[lot]), bool(self.comes[lot])


def observed_answers(
    *, answered_s: FloatArray, comes: BoolArray, unanswered_s: FloatArray, seed: int
) -> Answers:
    """Return answers as observed, with what the silent ones would have said had they been let.

    `answered_s` and `comes` are of the offers that were answered, `unanswered_s` is how long each
    other one stood. Nobody knows when a silent driver would have answered. They are taken to go on
    at the pace of the late answers: those of the last third of the longest time an offer stood, per
    second that offers stood in it (a constant hazard, as for any right-censored tail; Kalbfleisch
    and Prentice, The Statistical Analysis of Failure Time Data, 2002, ch. 3). Where nobody answered
    that late, they never do. Deterministic by `seed`. Refused: no offer at all.
    """
    stood_s = np.concatenate((answered_s, unanswered_s))
    if not len(stood_s):
        raise ValueError("there is no offer to learn from")
    late_from_s = float(stood_s.max()) * (1 - LATE_PART)
    late = answered_s >= late_from_s
    exposure_s = float(np.maximum(stood_s - late_from_s, 0.0).sum())
    after_s = np.full(len(unanswered_s), np.inf)
    would_come = np.zeros(len(unanswered_s), dtype=np.bool_)
    if late.any() and exposure_s > 0 and len(unanswered_s):
        random = np.random.default_rng([seed, TAIL])
        mean_s = exposure_s / int(np.count_nonzero(late))
        after_s = unanswered_s + random.exponential(mean_s, len(unanswered_s))
        would_come = random.random(len(unanswered_s)) < float(comes[late].mean())
    return Answers(
        after_s=np.concatenate((answered_s, after_s)), comes=np.concatenate((comes, would_come))
    )


class Questions:
    """Who was asked and has not answered yet: the driver drives for nobody, the rider waits."""

    def __init__(self, shifts: int) -> None:
        self._until_s = np.zeros(shifts)
        self._riders: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._riders)

    def ask(self, *, shift: int, until_s: float) -> None:
        """The driver is asked, and stands still until then."""
        self._until_s[shift] = until_s

    def keep(self, rider: int, *, until_s: float) -> None:
        """The rider takes part in no pairing until then, and in the next one after it."""
        self._riders.append((until_s, rider))

    def silent(self, now_s: float) -> BoolArray:
        """Whether each shift's driver has an open offer."""
        return np.asarray(self._until_s > now_s)

    def returning(self, now_s: float) -> list[int]:
        """Return the riders whose driver has said no, or nothing, until now."""
        back = [rider for until_s, rider in self._riders if until_s <= now_s]
        self._riders = [kept for kept in self._riders if kept[0] > now_s]
        return back

    @property
    def riders(self) -> set[int]:
        """Whose driver has not answered yet."""
        return {rider for _, rider in self._riders}
