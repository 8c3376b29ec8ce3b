"""What a day of calls brings: the deals among the best leads of each day that sales can call, said and come true."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from leadlight.model.margins import FloatArray
from leadlight.settings import Operate
from training.evaluate import Flags, Scored
from training.evaluate.clusters import mean_error, sum_error

WIDTH = 1.96


@dataclass(frozen=True)
class AtCapacity:
    """The called rows of the test, and how many a day end in a deal: promised, found (95 % interval), and by chance.

    A lead that is called on several days within a horizon of its one deal counts on each: calls are counted, not deals.
    """

    capacity: int | None
    days: int
    called: int
    calls_a_day: float
    promised_a_day: float
    deals_a_day: float
    deals_a_day_lower: float
    deals_a_day_upper: float
    by_chance_a_day: float
    lift: float | None
    lift_lower: float | None
    lift_upper: float | None

    def to_json(self) -> dict[str, float | int | None]:
        """All of it as one object."""
        return asdict(self)

    def line(self) -> str:
        """The same in words."""
        asked = "the flagged leads" if self.capacity is None else f"the best {self.capacity} leads a day"
        lift = (
            ""
            if self.lift is None
            else f", {self.lift:.2f} times as many ({self.lift_lower:.2f} to {self.lift_upper:.2f})"
        )
        return (
            f"calling {asked} ({self.calls_a_day:.1f} calls a day over {self.days} days): {self.deals_a_day:.2f} of"
            f" a day's calls end in a deal ({self.deals_a_day_lower:.2f} to {self.deals_a_day_upper:.2f}),"
            f" {self.promised_a_day:.2f} were promised to, {self.by_chance_a_day:.2f} would by chance{lift}"
        )


def at_capacity(rows: Scored, operate: Operate) -> AtCapacity | None:
    """What calling each day's best leads brings, or, without a capacity, the flagged ones; ``None`` without a call.

    ``rows`` know their day. Deals are counted among calls, whose number is given, so their interval is that of the
    share of calls that end in one.
    """
    if rows.day is None:
        return None
    called = rows.flagged if operate.capacity is None else _best_of_each_day(rows.p, rows.day, operate.capacity)
    if not called.any():
        return None
    days = int(rows.day.max()) + 1
    calls, y = int(called.sum()), rows.y.astype(np.float64)
    share, rate = float(y[called].mean()), float(y.mean())
    error = mean_error(y[called], rows.lead[called], rows.day[called])
    a_day = calls / days
    lift, low, high = _lift(rows, y, called)
    return AtCapacity(
        capacity=operate.capacity,
        days=days,
        called=calls,
        calls_a_day=a_day,
        promised_a_day=float(rows.p[called].sum()) / days,
        deals_a_day=a_day * share,
        deals_a_day_lower=a_day * max(share - WIDTH * error, 0.0),
        deals_a_day_upper=a_day * min(share + WIDTH * error, 1.0),
        by_chance_a_day=a_day * rate,
        lift=lift,
        lift_lower=low,
        lift_upper=high,
    )


def flagged_by(operate: Operate, *, rows: int, days: int) -> Operate:
    """The same, with the share of rows that a capacity a day comes to, where one is given."""
    if operate.capacity is None or operate.threshold is not None:
        return operate
    return operate.model_copy(update={"flag_share": min(operate.capacity * days / rows, 1.0)})


def _best_of_each_day(p: FloatArray, day: np.ndarray, capacity: int) -> Flags:
    order = np.lexsort((-p, day))
    starts = np.searchsorted(day[order], day[order], side="left")
    called = np.zeros(len(p), dtype=bool)
    called[order[np.arange(len(p)) - starts < capacity]] = True
    return called


def _lift(rows: Scored, y: FloatArray, called: Flags) -> tuple[float, float, float] | tuple[None, None, None]:
    """Deals among calls over deals among all rows, with an interval on the scale of its logarithm."""
    hits, positives = float(y[called].sum()), float(y.sum())
    if hits == 0:
        return None, None, None
    lift = (hits / called.sum()) / (positives / len(y))
    shares = called * y / hits - called / called.sum() - y / positives + 1.0 / len(y)
    error = sum_error(shares, rows.lead, rows.day)
    return lift, lift * float(np.exp(-WIDTH * error)), lift * float(np.exp(WIDTH * error))
