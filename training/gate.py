"""The gate: what a candidate must prove on later rows before it may go live, and the verdict with all its numbers.

A threshold rule passes if the lower confidence bound reaches the threshold, fails if even the upper bound does not,
and is unsure between: this test cannot tell. A comparison passes if the model is at most a small margin worse than its
rival, with confidence, fails if it is worse than that with confidence, and is unsure between. The bounds that let a
model pass tighten with each candidate judged on the same test window, to 5 % over its number; those that
fail it do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, norm

from leadlight.model.certificate import Certificate, signing_key, write_certificate
from leadlight.model.margins import FloatArray
from leadlight.settings import Gate
from leadlight.shelf import keys_folder
from training.evaluate import Evaluation, Metric, Scored, log_losses, loss_difference

State = Literal["pass", "fail", "unsure"]
Outcome = Literal["promote", "reject", "not_enough_evidence"]
PROMOTE: Final = "promote"
REJECT: Final = "reject"
NOT_ENOUGH_EVIDENCE: Final = "not_enough_evidence"

ALPHA = 0.05
FEWEST = 40
"""Leads of either outcome that training and test must each hold, and flagged ones that the test must."""
MARGIN = 0.1
"""The share of a rival's gain over the base rate that a model may give up and still count as not worse."""


@dataclass(frozen=True)
class Rule:
    """One thing to prove: the value found, its one-sided bounds, what it is held against, and what follows."""

    name: str
    value: float | None
    lower: float | None
    upper: float | None
    threshold: float
    state: State
    evidence: str


@dataclass(frozen=True)
class Verdict:
    """What the gate decided: ``looks`` is the candidate's place among those judged on this test window."""

    verdict: Outcome
    rules: tuple[Rule, ...]
    looks: int
    alpha: float
    notes: tuple[str, ...] = ()
    champion: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Every rule and number, as ``verdict.json`` holds them."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Rival:
    """Another opinion on the test rows: its probabilities, or, if it can have none, the reason."""

    p: FloatArray | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Trial:
    """All that a verdict rests on; ``outcomes`` counts leads (converted, not); ``champion`` is what serves now."""

    scored: Scored
    evaluation: Evaluation
    base_rate: FloatArray
    rivals: Mapping[str, Rival]
    outcomes: Mapping[str, tuple[int, int]]
    champion: str | None = None


def judge(gate: Gate, trial: Trial, *, looks: int, notes: tuple[str, ...] = ()) -> Verdict:
    """The verdict on a candidate that is the ``looks``-th one judged on this test window.

    With fewer than 40 leads of an outcome nothing is concluded, for or against; else one failed rule rejects, and one
    unsure rule leaves not enough evidence.
    """
    alpha = ALPHA / looks
    enough = list(_evidence_rules(trial.outcomes))
    rules = [
        *_proportion_rules(gate, trial, alpha=alpha),
        *_metric_rules(gate, trial.evaluation, alpha=alpha),
        *_rival_rules(trial, alpha=alpha),
    ]
    states = {rule.state for rule in rules}
    if any(rule.state == "unsure" for rule in enough):
        verdict: Outcome = NOT_ENOUGH_EVIDENCE
    elif "fail" in states:
        verdict = REJECT
    else:
        verdict = NOT_ENOUGH_EVIDENCE if "unsure" in states else PROMOTE
    return Verdict(verdict, (*enough, *rules), looks, alpha, notes, trial.champion)


def certify(verdict: Verdict, *, bundle: Path, bundle_sha256: str, target_name: str, state: Path) -> bool:
    """Lay the signed certificate beside a bundle that may be promoted; any other verdict leaves none."""
    if verdict.verdict != PROMOTE:
        return False
    certificate = Certificate(bundle_sha256, target_name, verdict.verdict, verdict.to_json())
    write_certificate(bundle, certificate, key=signing_key(keys_folder(state)))
    return True


def _evidence_rules(outcomes: Mapping[str, tuple[int, int]]) -> Iterator[Rule]:
    for part, (converted, not_converted) in outcomes.items():
        for name, leads in (("converted", converted), ("not_converted", not_converted)):
            yield _count_rule(f"{name}_in_{part}", leads)


def _count_rule(name: str, leads: int) -> Rule:
    words = f"leads; fewer than {FEWEST} are too few to judge by"
    return Rule(name, leads, None, None, FEWEST, "pass" if leads >= FEWEST else "unsure", words)


def _proportion_rules(gate: Gate, trial: Trial, *, alpha: float) -> Iterator[Rule]:
    """Precision, recall and accuracy at the frozen threshold, with exact bounds that allow for leads seen twice."""
    rows = trial.scored
    positive, flagged = rows.y == 1, rows.flagged
    yield _count_rule("flagged_in_test", len(np.unique(rows.lead[flagged])))
    yield proportion_rule("precision", gate.precision, hits=positive, among=flagged, lead=rows.lead, alpha=alpha)
    yield proportion_rule("recall", gate.recall, hits=flagged, among=positive, lead=rows.lead, alpha=alpha)
    if gate.accuracy is not None:
        everything = np.ones_like(flagged)
        correct = positive == flagged
        yield proportion_rule("accuracy", gate.accuracy, hits=correct, among=everything, lead=rows.lead, alpha=alpha)


def proportion_rule(
    name: str,
    threshold: float,
    *,
    hits: npt.NDArray[np.bool_],
    among: npt.NDArray[np.bool_],
    lead: npt.NDArray[np.intp],
    alpha: float,
) -> Rule:
    """A share of rows against its threshold: Clopper-Pearson on the counts divided by their design effect."""
    trials = np.bincount(lead[among])
    successes = np.bincount(lead[among & hits], minlength=len(trials))
    rows, found = int(trials.sum()), int(successes.sum())
    if rows == 0:
        return Rule(name, None, None, None, threshold, "unsure", "there is no row to count in")
    effect = design_effect(successes, trials)
    lower, _ = clopper_pearson(found / effect, rows / effect, alpha=alpha)
    _, upper = clopper_pearson(found / effect, rows / effect, alpha=ALPHA)
    words = f"{found} of {rows} rows, worth {rows / effect:.0f} independent ones"
    return _threshold_rule(name, found / rows, (lower, upper), threshold, words)


def design_effect(successes: npt.NDArray[np.intp], trials: npt.NDArray[np.intp]) -> float:
    """How many rows of these leads tell as much as one independent row: the clustered over the binomial variance.

    Never under 1. Where all rows agree, their variance says nothing, and rows of one lead count as one.
    """
    rows = trials.sum()
    share = successes.sum() / rows
    if share in {0.0, 1.0}:
        return float(np.sum(trials**2) / rows)
    return max(1.0, float(np.sum((successes - share * trials) ** 2) / (rows * share * (1.0 - share))))


def clopper_pearson(successes: float, trials: float, *, alpha: float) -> tuple[float, float]:
    """One-sided exact bounds of a binomial share, each wrong at most ``alpha`` of the time; counts may be fractions."""
    failures = trials - successes
    lower = beta.ppf(alpha, successes, failures + 1) if successes > 0 else 0.0
    upper = beta.ppf(1 - alpha, successes + 1, failures) if failures > 0 else 1.0
    return float(lower), float(upper)


def _metric_rules(gate: Gate, evaluation: Evaluation, *, alpha: float) -> Iterator[Rule]:
    """Optional thresholds on metrics without an exact bound: value less or plus so many bootstrap errors."""
    for name in ("auc", "average_precision", "lift"):
        threshold: float | None = getattr(gate, name)
        if threshold is not None:
            yield _metric_rule(name, evaluation.metrics[name], threshold, alpha=alpha)


def _metric_rule(name: str, metric: Metric | None, threshold: float, *, alpha: float) -> Rule:
    if metric is None:
        return Rule(name, None, None, None, threshold, "unsure", "these rows cannot have this metric")
    bounds = _normal_bounds(metric.value, metric.error, alpha, ALPHA)
    return _threshold_rule(name, metric.value, bounds, threshold, f"standard error {metric.error:.4f}")


def _threshold_rule(name: str, value: float, bounds: tuple[float, float], threshold: float, words: str) -> Rule:
    lower, upper = bounds
    state: State = "pass" if lower >= threshold else "fail" if upper < threshold else "unsure"
    return Rule(name, value, lower, upper, threshold, state, words)


def _rival_rules(trial: Trial, *, alpha: float) -> Iterator[Rule]:
    """Paired log loss on the same rows, as a share of the rival's: below the margin with confidence.

    The margin is a tenth of what the rival itself gains over the base rate: so it means the same for rare and frequent
    outcomes, and is nothing for the base rate and for rivals no better than it.
    """
    base = float(log_losses(trial.scored.y, trial.base_rate).mean())
    for name, rival in {"base_rate": Rival(trial.base_rate), **trial.rivals}.items():
        label = f"log_loss_against_{name}"
        if rival.p is None:
            yield Rule(label, None, None, None, 0.0, "unsure", rival.reason)
            continue
        gap = loss_difference(trial.scored, rival.p)
        scale = gap.other or 1.0  # a rival without any loss: nothing to share
        margin = MARGIN * max(base - gap.other, 0.0) / scale
        value, error = gap.mean / scale, gap.error / scale
        lower, upper = _normal_bounds(value, error, ALPHA, alpha)
        state: State = "pass" if upper <= margin else "fail" if lower > margin else "unsure"
        words = f"log loss {gap.other + gap.mean:.5f} against {gap.other:.5f}, as a share of the latter"
        yield Rule(label, value, lower, upper, margin, state, words)


def _normal_bounds(value: float, error: float, below: float, above: float) -> tuple[float, float]:
    """One-sided bounds, wrong ``below`` and ``above`` of the time."""
    return value - float(norm.isf(below)) * error, value + float(norm.isf(above)) * error
