"""What no model may be, however well it ranks: wrong in its promises, harmful to a part of the leads, or leaking."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from leadlight.settings import Gate
from training.evaluate import loss_difference
from training.gate.comparisons import UNIT
from training.gate.needed import for_mean
from training.gate.rule import ALPHA, FEWEST, Rule, State, normal_bounds
from training.gate.trial import Trial
from training.slices import Slice

BIG = 0.1
"""The share of the test rows from which on a slice is big enough to be judged by itself."""


def calibration_rules(gate: Gate, trial: Trial, *, alpha: float) -> Iterator[Rule]:
    """The odds that were said must be right as a whole within the site's factor, and no part may be further off.

    As a whole: proven right by both bounds, or proven wrong, or open. In parts: wrong only if the error over ten equal
    parts is beyond the factor by more than noise; that it is not is no more than that.
    """
    yield _in_the_large(gate, trial, alpha=alpha)
    yield _error(gate, trial)


def _in_the_large(gate: Gate, trial: Trial, *, alpha: float) -> Rule:
    name, allowed = "calibration_in_the_large", math.log(gate.calibration)
    metric = trial.evaluation.metrics[name]
    if metric is None:
        return Rule(name, None, None, None, allowed, "unsure", "rows of one outcome cannot have it")
    lower, upper = normal_bounds(metric.value, metric.error, alpha, alpha)
    inner, outer = normal_bounds(metric.value, metric.error, ALPHA, ALPHA)
    state: State = "pass" if -allowed <= lower and upper <= allowed else "unsure"
    if inner > allowed or outer < -allowed:
        state = "fail"
    said, came = float(trial.scored.p.mean()), float(trial.scored.y.mean())
    words = f"log-odds; {said:.2%} was said and {came:.2%} came, a factor of {gate.calibration:g} in odds is allowed"
    if state != "unsure":
        return Rule(name, metric.value, lower, upper, allowed, state, words)
    within = abs(metric.value) < allowed
    distance = allowed - abs(metric.value)
    more = for_mean(distance, metric.error, units=trial.converted, alpha=alpha if within else ALPHA)
    return Rule(name, metric.value, lower, upper, allowed, state, words, more, UNIT)


def _error(gate: Gate, trial: Trial) -> Rule:
    name = "calibration_error"
    metric, floor = trial.evaluation.metrics[name], trial.evaluation.noise_floor
    allowed = (1.0 - 1.0 / gate.calibration) * float(trial.scored.y.mean())
    if metric is None:
        return Rule(name, None, None, None, allowed, "unsure", "these rows cannot have this metric")
    state: State = "fail" if metric.lower > allowed else "pass"
    words = f"over ten equal parts; a perfect model shows {floor:.4f} on so few rows; fails only beyond noise"
    return Rule(name, metric.value, metric.lower, metric.upper, allowed, state, words)


def slice_rule(trial: Trial) -> Rule:
    """No big slice where the model's log loss is higher than the base rate's by more than noise.

    Every big slice is tested, so each is held to 5 % over their number; the worst is shown.
    """
    name = "worst_big_slice"
    big = [part for part in trial.slices if _is_big(part, trial)]
    found = [(part, loss_difference(trial.scored.where(part.rows), trial.base_rate[part.rows])) for part in big]
    if not found:
        return Rule(name, None, None, None, 0.0, "pass", f"no slice is big enough to judge by, of {len(trial.slices)}")
    beyond = float(norm.isf(ALPHA / len(found)))
    part, gap = max(found, key=lambda pair: pair[1].mean / max(pair[1].error, 1e-12))
    scale = gap.other or 1.0
    value, error = gap.mean / scale, gap.error / scale
    lower, upper = value - beyond * error, value + beyond * error
    state: State = "fail" if lower > 0 else "pass"
    words = f"{part.name}: log loss above the base rate's, as a share of it; the worst of {len(found)} big slices"
    return Rule(name, value, lower, upper, 0.0, state, words)


def _is_big(part: Slice, trial: Trial) -> bool:
    y, lead = trial.scored.y[part.rows], trial.scored.lead[part.rows]
    if len(y) < BIG * len(trial.scored.y):
        return False
    converted = len(np.unique(lead[y == 1]))
    return min(converted, len(np.unique(lead)) - converted) >= FEWEST


def leak_rule(trial: Trial) -> Rule:
    """No column that looks like a leak, unless the site vouches for it: then it is among the verdict's notes."""
    words = "; ".join(trial.leaks) or "columns that look like leaks and that the site does not vouch for"
    return Rule("unvouched_leaks", len(trial.leaks), None, None, 0, "fail" if trial.leaks else "pass", words)
