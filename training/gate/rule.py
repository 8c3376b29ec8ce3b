"""One thing to prove: the value found, its bounds, what it is held against, what follows, and what is still needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scipy.stats import norm

State = Literal["pass", "fail", "unsure"]

ALPHA = 0.05
"""How often a bound that fails a model may be wrong, and all the bounds that pass candidates on one window together."""
FEWEST = 40
"""Leads of either outcome that training and test must each hold, and flagged ones that the test must."""


@dataclass(frozen=True)
class Rule:
    """A value with its one-sided bounds; ``needed`` more of ``unit`` would about settle a rule that is unsure."""

    name: str
    value: float | None
    lower: float | None
    upper: float | None
    threshold: float
    state: State
    evidence: str
    needed: int | None = None
    unit: str = ""


def count_rule(name: str, leads: int) -> Rule:
    """So many leads are enough to judge by, or too few."""
    words = f"leads; fewer than {FEWEST} are too few to judge by"
    if leads >= FEWEST:
        return Rule(name, leads, None, None, FEWEST, "pass", words)
    return Rule(name, leads, None, None, FEWEST, "unsure", words, FEWEST - leads, "leads")


def at_least(lower: float, upper: float, threshold: float) -> State:
    """Passed if the lower bound reaches the threshold, failed if even the upper one does not."""
    return "pass" if lower >= threshold else "fail" if upper < threshold else "unsure"


def normal_bounds(value: float, error: float, below: float, above: float) -> tuple[float, float]:
    """One-sided bounds, wrong ``below`` and ``above`` of the time."""
    return value - float(norm.isf(below)) * error, value + float(norm.isf(above)) * error
