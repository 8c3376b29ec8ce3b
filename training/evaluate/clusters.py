"""How unsure a number is when rows of one lead, and rows of one day, tell much the same story.

Two-way clustered errors (Cameron, Gelbach and Miller 2011): the variance over leads plus that over days less that over
both together, and never less than either alone, for the estimate of a difference may fall below what it is made of.
The pigeonhole bootstrap (Owen 2007), the other usual way, triples the variance of rows that do not depend on one
another, and so would ask for three times the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import norm, t

from leadlight.model.margins import FloatArray, IntArray

FEWEST_DAYS = 5
"""Days below which nothing can be said of how days differ; leads alone are counted then."""
_CHUNK = 2_000_000  # weights held at once
_TAIL = 0.025


def days_tell(day: IntArray | None) -> bool:
    """Whether there are days enough to see how much they differ."""
    return day is not None and len(np.unique(day)) >= FEWEST_DAYS


def sum_error(shares: FloatArray, lead: IntArray, day: IntArray | None) -> float:
    """The standard error of the sum of ``shares``: what each row adds to a number, centred at zero."""
    by_lead = _variance(shares, lead)
    if day is None or not days_tell(day):
        return float(np.sqrt(by_lead))
    by_both = _variance(shares, cells(lead, day))
    return two_way(np.sqrt(by_lead), np.sqrt(_variance(shares, day)), np.sqrt(by_both), days=len(np.unique(day)))


def mean_error(values: FloatArray, lead: IntArray, day: IntArray | None) -> float:
    """The standard error of the mean of ``values``."""
    return sum_error((values - values.mean()) / len(values), lead, day)


def two_way(by_lead: float, by_day: float, by_both: float, *, days: int) -> float:
    """One standard error of three; few days are stretched as Student's t asks, so that a normal bound may be used."""
    stretch = (float(t.isf(_TAIL, days - 1)) / float(norm.isf(_TAIL))) ** 2
    lead, day, both = by_lead**2, stretch * by_day**2, by_both**2
    return float(np.sqrt(max(lead, day, lead + day - both)))


def drawn_error(errors: Sequence[float], *, days: int) -> float:
    """One standard error of the spreads of replicates: leads drawn, and where days tell something, days and both.

    Few days drawn with replacement spread too little, by (days - 1) / days of the variance.
    """
    if len(errors) == 1:
        return errors[0]
    by_lead, by_day, by_both = errors
    return two_way(by_lead, by_day * float(np.sqrt(days / (days - 1))), by_both, days=days)


def cells(lead: IntArray, day: IntArray) -> IntArray:
    """A number for each pair of lead and day."""
    return np.asarray(np.unique(lead * (int(day.max()) + 1) + day, return_inverse=True)[1])


def cluster_weights(cluster: IntArray, *, seed: int | list[int], replicates: int) -> Iterator[FloatArray]:
    """How often each row counts in each replicate (replicates x rows), in chunks: clusters drawn with replacement."""
    random = np.random.default_rng(seed)
    clusters = int(cluster.max()) + 1
    size = max(_CHUNK // len(cluster), 1)
    for start in range(0, replicates, size):
        number = min(size, replicates - start)
        drawn = random.integers(clusters, size=(number, clusters)) + clusters * np.arange(number)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=number * clusters).reshape(number, clusters)
        yield counts[:, cluster].astype(np.float64)


def _variance(shares: FloatArray, cluster: IntArray) -> float:
    sums = np.bincount(np.unique(cluster, return_inverse=True)[1], weights=shares)
    return float(len(sums) / max(len(sums) - 1, 1) * np.sum(sums**2))
