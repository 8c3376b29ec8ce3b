"""What the model is probably worth on leads whose outcome nobody knows yet: expected from its own probabilities.

Confidence-based performance estimation. It holds as far as the probabilities are right up to one common shift of their
log-odds; a change of what the features mean (concept drift) it cannot see before outcomes come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from leadlight.model.margins import FloatArray
from leadlight.settings import Gate
from training.monitor.findings import Check

FEWEST = 50
DRAWS = 1_000
_CHUNK = 4_000_000

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Expected:
    """A metric that nobody can measure yet: its expected value and 95 % interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class Performance:
    """Precision, recall and AUC expected of leads without outcome; ``draws`` are simulated ones, by metric."""

    leads: int
    flagged: int
    metrics: dict[str, Expected]
    draws: dict[str, FloatArray]


def expected_performance(margins: FloatArray, flagged: Flags, *, error: float, seed: int) -> Performance | None:
    """Outcomes drawn from the probabilities, whose common shift is itself drawn with that standard ``error``.

    One row a lead. ``None`` with fewer than 50 leads or no flagged one.
    """
    if len(margins) < FEWEST or not flagged.any():
        return None
    random = np.random.default_rng(seed)
    order = np.argsort(-margins, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(margins[order]) != 0.0, True))
    parts = [
        _metrics(outcomes, flagged[order], ends) for outcomes in _outcomes(margins[order], error=error, random=random)
    ]
    drawn = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    draws = {name: values[np.isfinite(values)] for name, values in drawn.items()}
    return Performance(
        leads=len(margins),
        flagged=int(flagged.sum()),
        metrics={name: _expected(values) for name, values in draws.items() if len(values)},
        draws=draws,
    )


def performance_checks(found: Performance, gate: Gate) -> Iterator[Check]:
    """Whether precision or recall is expected below what the gate asked for: ``p`` is how often draws reach it."""
    for name in ("precision", "recall"):
        asked: float = getattr(gate, name)
        draws = found.draws[name]
        if len(draws):
            p = (1 + int((draws >= asked).sum())) / (1 + len(draws))
            value = found.metrics[name].value
            words = f"expected {name} {value:.3f} of {found.leads} leads without outcome yet, the gate asks for {asked}"
            yield Check("performance", name, p, value - asked, value < asked, words, "retrain")


def _outcomes(margins: FloatArray, *, error: float, random: np.random.Generator) -> Iterator[Flags]:
    """Drawn outcomes (draws x rows), in chunks."""
    size = max(min(_CHUNK // len(margins), DRAWS), 1)
    for start in range(0, DRAWS, size):
        number = min(size, DRAWS - start)
        said = expit(margins + random.normal(0.0, error, number)[:, None])
        yield random.random(said.shape) < said


def _metrics(outcomes: Flags, flagged: Flags, ends: npt.NDArray[np.intp]) -> dict[str, FloatArray]:
    """Of rows sorted by margin, highest first; ``ends`` are the last rows of each tie."""
    hits = (outcomes & flagged).sum(axis=1)
    positives = outcomes.sum(axis=1)
    true = np.cumsum(outcomes, axis=1)[:, ends]
    false = ends + 1 - true
    gained, lost = np.diff(true, axis=1, prepend=0), np.diff(false, axis=1, prepend=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = positives * (outcomes.shape[1] - positives)
        return {
            "precision": hits / flagged.sum(),
            "recall": hits / positives,
            "auc": np.sum(lost * (true - gained / 2), axis=1) / pairs,
        }


def _expected(draws: FloatArray) -> Expected:
    lower, upper = np.quantile(draws, [0.025, 0.975])
    return Expected(float(draws.mean()), float(lower), float(upper))
