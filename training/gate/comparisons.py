"""Thresholds on metrics without an exact bound, and rivals whom a model must not be worse than on the same rows."""

from __future__ import annotations

from collections.abc import Iterator

from leadlight.settings import Gate
from training.evaluate import Metric, log_losses, loss_difference
from training.gate.needed import for_mean
from training.gate.rule import ALPHA, Rule, State, at_least, normal_bounds
from training.gate.trial import Rival, Trial, converted_leads

MARGIN = 0.1
"""The share of a rival's gain over the base rate that a model may give up and still count as not worse."""
UNIT = "converted leads"


def metric_rules(gate: Gate, trial: Trial, *, alpha: float) -> Iterator[Rule]:
    """The site's optional thresholds: value less or plus so many errors."""
    for name in ("auc", "average_precision", "lift"):
        threshold: float | None = getattr(gate, name)
        if threshold is not None:
            yield _metric_rule(name, trial.evaluation.metrics[name], threshold, alpha=alpha, units=trial.converted)


def _metric_rule(name: str, metric: Metric | None, threshold: float, *, alpha: float, units: int) -> Rule:
    if metric is None:
        return Rule(name, None, None, None, threshold, "unsure", "these rows cannot have this metric")
    lower, upper = normal_bounds(metric.value, metric.error, alpha, ALPHA)
    state, words = at_least(lower, upper, threshold), f"standard error {metric.error:.4f}"
    if state != "unsure":
        return Rule(name, metric.value, lower, upper, threshold, state, words)
    distance = metric.value - threshold
    more = for_mean(distance, metric.error, units=units, alpha=alpha if distance > 0 else ALPHA)
    return Rule(name, metric.value, lower, upper, threshold, state, words, more, UNIT)


def rival_rules(trial: Trial, *, alpha: float) -> Iterator[Rule]:
    """Paired log loss on the same rows, as a share of the rival's: below the margin with confidence.

    The margin is a tenth of what the rival itself gains over the base rate: so it means the same for rare and frequent
    outcomes, and is nothing for the base rate and for rivals no better than it.
    """
    for name, rival in {"base_rate": Rival(trial.base_rate), **trial.rivals}.items():
        yield _rival_rule(f"log_loss_against_{name}", rival, trial, alpha=alpha)


def _rival_rule(label: str, rival: Rival, trial: Trial, *, alpha: float) -> Rule:
    if rival.p is None:
        return Rule(label, None, None, None, 0.0, "unsure", rival.reason, rival.needed, rival.unit)
    scored, theirs, base_rate = trial.scored, rival.p, trial.base_rate
    if rival.rows is not None:
        scored, theirs, base_rate = scored.where(rival.rows), theirs[rival.rows], base_rate[rival.rows]
    base = float(log_losses(scored.y, base_rate).mean())
    gap = loss_difference(scored, theirs)
    scale = gap.other or 1.0  # a rival without any loss: nothing to share
    margin = MARGIN * max(base - gap.other, 0.0) / scale
    value, error = gap.mean / scale, gap.error / scale
    lower, upper = normal_bounds(value, error, ALPHA, alpha)
    state: State = "pass" if upper <= margin else "fail" if lower > margin else "unsure"
    words = f"log loss {gap.other + gap.mean:.5f} against {gap.other:.5f}, as a share of the latter"
    if rival.rows is not None:
        words += f"; on the {len(scored.y):,} rows that it neither learned from nor was moved by"
    if state != "unsure":
        return Rule(label, value, lower, upper, margin, state, words)
    of_bound = alpha if value < margin else ALPHA
    more = for_mean(margin - value, error, units=converted_leads(scored), alpha=of_bound)
    return Rule(label, value, lower, upper, margin, state, words, more, UNIT)
