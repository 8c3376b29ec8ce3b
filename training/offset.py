"""A move of the champion's offset, and what it has to prove before it becomes a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from leadlight.model.bundle import Bundle
from leadlight.model.certificate import Certificate
from leadlight.model.margins import FloatArray, IntArray, sigmoid
from leadlight.shelf import Champion
from training.calibrate import followed_offset
from training.evaluate import Labels, log_losses
from training.evaluate.clusters import mean_error
from training.monitor.rows import Watched

FEWEST = 50
FEWEST_CONVERTED = 5
ALPHA = 0.05
OWN = "recalibration_"
"""What the names of these rules begin with."""


@dataclass(frozen=True, eq=False)
class Move:
    """A champion, the mature leads that move its offset, their local days, and what it becomes."""

    champion: Champion
    certificate: Certificate
    parent: Bundle
    rows: Watched
    day: IntArray
    before: FloatArray  # margins without any offset
    offset: float
    error: float

    @property
    def shift(self) -> float:
        """By how much the champion's offset moves."""
        return self.offset - self.parent.model.offset


def gate_rules(move: Move, child: Bundle, *, largest: float) -> tuple[dict[str, Any], ...]:
    """What the move has to prove, in the shape of the gate's rules; ``largest`` is how far it may go."""
    labels, first = move.rows.label, float(move.parent.reference["calibration"]["offset"])
    gap = float(_gaps(labels, move.rows.margin, move.before + move.offset).mean())
    away = abs(move.offset - first)
    changed = _graded_otherwise(move, child)
    later, bound = _forward(move)
    converted = int(labels.sum(dtype=np.int64))
    return (
        _rule("leads", len(labels), FEWEST, ok=len(labels) >= FEWEST, words="leads whose label is mature"),
        _rule("converted", converted, FEWEST_CONVERTED, ok=converted >= FEWEST_CONVERTED, words="of them converted"),
        _rule("shift", away, largest, ok=away <= largest, words="log-odds from the first offset, at most"),
        _rule("log_loss", gap, 0.0, ok=gap <= 0.0, words="log loss of the mature leads, less the parent's"),
        _rule(
            "log_loss_forward",
            later,
            0.0,
            ok=bound <= 0.0,
            words=f"the same on the later half, followed from the earlier: not surely worse (bound {bound:.5f})",
        ),
        _rule("same_leads", changed, 0, ok=changed == 0, words="mature leads with another flag or grade than before"),
    )


def _rule(name: str, value: float, threshold: float, *, ok: bool, words: str) -> dict[str, Any]:
    return {
        "name": OWN + name,
        "value": value,
        "lower": None,
        "upper": None,
        "threshold": threshold,
        "state": "pass" if ok else "fail",
        "evidence": f"{value:.5g} {words} {threshold:g}" if name == "shift" else f"{value:.5g}: {words}",
    }


def _gaps(labels: Labels, old: FloatArray, new: FloatArray) -> FloatArray:
    return log_losses(labels, sigmoid(new)) - log_losses(labels, sigmoid(old))


def _forward(move: Move) -> tuple[float, float]:
    """What following from the earlier half would have cost on the later: the mean, and its lower bound."""
    half = len(move.before) // 2
    first = move.parent.reference["calibration"]
    offset, _ = followed_offset(
        move.before[:half], move.rows.label[:half], first=first["offset"], first_error=first["error"]
    )
    gaps = _gaps(move.rows.label[half:], move.rows.margin[half:], move.before[half:] + offset)
    error = mean_error(gaps, np.arange(len(gaps)), move.day[half:])
    return float(gaps.mean()), float(gaps.mean() - norm.isf(ALPHA) * error)


def _graded_otherwise(move: Move, child: Bundle) -> int:
    old, new = sigmoid(move.rows.margin).tolist(), sigmoid(child.model.margin(move.rows.X)).tolist()
    cuts = move.parent.cuts
    return sum(
        (cuts.grade(was), cuts.flagged(was)) != (child.cuts.grade(now), child.cuts.flagged(now))
        for was, now in zip(old, new, strict=True)
    )
