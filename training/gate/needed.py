"""How much more evidence would about settle a rule, if what was found so far is the truth: power arithmetic."""

from __future__ import annotations

import math

from scipy.stats import norm

POWER = 0.8
_NOWHERE = 1e-9


def for_share(
    value: float, threshold: float, *, rows: float, effect: float, alpha: float, power: float = POWER
) -> int | None:
    """How many more rows show with that much power that a share is not on the other side of its threshold.

    ``effect`` rows tell as much as one independent row. ``None`` if the share found lies on the threshold: then no
    number does.
    """
    distance = abs(value - threshold)
    if distance < _NOWHERE:
        return None
    of_the_test = float(norm.isf(alpha)) * math.sqrt(threshold * (1 - threshold))
    of_the_power = float(norm.isf(1 - power)) * math.sqrt(value * (1 - value))
    return _more(effect * ((of_the_test + of_the_power) / distance) ** 2, rows)


def for_mean(distance: float, error: float, *, units: float, alpha: float) -> int | None:
    """The same for a number whose error falls with the root of the evidence: so many more ``units`` of it."""
    if abs(distance) < _NOWHERE * max(error, _NOWHERE):
        return None
    of_both = float(norm.isf(alpha)) + float(norm.isf(1 - POWER))
    return _more(units * (of_both * error / distance) ** 2, units)


def _more(wanted: float, there_are: float) -> int:
    return max(math.ceil(wanted - there_are), 1)
