"""A move of the champion's offset, and what it has to prove before it becomes a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from leadlight.model.bundle import Bundle
from leadlight.model.certificate import Certificate
from leadlight.model.margins import FloatArray, IntArray, sigmoid
from leadlight.shelf import Champion
from training.calibrate import followed_offset
from training.evaluate import Labels, log_losses
from training.evaluate.clusters import mean_error
from training.gate import ALPHA, State
from training.gate.needed import for_mean
from training.gate.rule import normal_bounds
from training.monitor.rows import Watched

MOST = 1_000
"""Leads looked at: the last ones, for the level drifts."""
FEWEST = 50
FEWEST_CONVERTED = 5
PARTS = 4
"""Parts of the leads in time, each but the first judged by what those before it ask for."""
HARM = 0.001
"""The share of the base rate's log loss that following may cost at most."""
UNIT = "leads of known outcome"
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
    labels, first = move.rows.label, move.parent.reference["calibration"]
    gap = float(_gaps(labels, move.rows.margin, move.before + move.offset).mean())
    away = abs(move.offset - float(first["offset"]))
    changed = _graded_otherwise(move, child)
    converted = int(labels.sum(dtype=np.int64))
    in_sample = "in-sample: log loss of the leads that moved the offset, less the parent's; it proves nothing by itself"
    return (
        _rule("leads", len(labels), FEWEST, ok=len(labels) >= FEWEST, words="leads whose label is mature"),
        _rule("converted", converted, FEWEST_CONVERTED, ok=converted >= FEWEST_CONVERTED, words="of them converted"),
        _rule("shift", away, largest, ok=away <= largest, words="log-odds from the first offset, at most"),
        _rule("log_loss_in_sample", gap, 0.0, ok=gap <= 0.0, words=in_sample),
        forward_rule(move.before, labels, move.day, now=move.parent.model.offset, first=first),
        _rule("same_leads", changed, 0, ok=changed == 0, words="mature leads with another flag or grade than before"),
    )


def forward_rule(
    before: FloatArray, labels: Labels, day: IntArray, *, now: float, first: Mapping[str, float]
) -> dict[str, Any]:
    """Following must be proven to do no harm on leads that came after those that were followed.

    Each quarter of the leads but the first is judged by the offset that those before it ask for, against the offset of
    ``now``; ``before`` are their margins without any, ``first`` is what training chose. The upper bound of the mean
    difference (95 %) must lie under a thousandth of the base rate's log loss: no report would show such a harm, a real
    shift stays far under it, and an offset that follows noise alone comes under it about one time in twenty.
    """
    edges = [len(labels) * part // PARTS for part in range(PARTS + 1)]
    followed = np.concatenate(
        [
            np.full(
                end - start,
                followed_offset(before[:start], labels[:start], first=first["offset"], first_error=first["error"])[0],
            )
            for start, end in pairwise(edges[1:])
        ]
    )
    later = slice(edges[1], None)
    gaps = _gaps(labels[later], before[later] + now, before[later] + followed)
    value, error = float(gaps.mean()), mean_error(gaps, np.arange(len(gaps)), day[later])
    rate = np.full(len(labels), (float(labels.sum(dtype=np.int64)) + 0.5) / (len(labels) + 1.0))
    allowed = HARM * float(log_losses(labels, rate).mean())
    lower, upper = normal_bounds(value, error, ALPHA, ALPHA)
    state: State = "pass" if upper <= allowed else "fail" if lower > allowed else "unsure"
    words = f"{value:+.5f} log loss of {len(gaps)} later leads, each followed from those before it, less the parent's"
    bounded = f"{words}; at most {upper:+.5f} (95 %), where {allowed:.5f} is allowed"
    rule = _stated("log_loss_forward", value, allowed, state, bounded) | {"lower": lower, "upper": upper}
    if state != "unsure":
        return rule
    more = for_mean(allowed - value, error, units=len(labels), alpha=ALPHA) if value < allowed else None
    told = f"{bounded}; {_how_much_more(len(labels), more)}"
    return rule | {"evidence": told, "needed": more, "unit": UNIT}


def _how_much_more(leads: int, more: int | None) -> str:
    """What would settle an unsure rule; no more than the last 1,000 leads are ever looked at."""
    if more is None:
        return "so far nothing is gained by following: more leads as these would not settle it"
    words = f"about {more:,} more {UNIT} would settle it, if the shift found is the true one"
    if leads + more <= MOST:
        return words
    return f"{words}; only the last {MOST:,} are looked at, so wait for a clearer shift, or train a new model"


def _rule(name: str, value: float, threshold: float, *, ok: bool, words: str) -> dict[str, Any]:
    evidence = f"{value:.5g} {words} {threshold:g}" if name == "shift" else f"{value:.5g}: {words}"
    return _stated(name, value, threshold, "pass" if ok else "fail", evidence)


def _stated(name: str, value: float, threshold: float, state: State, evidence: str) -> dict[str, Any]:
    return {
        "name": OWN + name,
        "value": value,
        "lower": None,
        "upper": None,
        "threshold": threshold,
        "state": state,
        "evidence": evidence,
    }


def _gaps(labels: Labels, old: FloatArray, new: FloatArray) -> FloatArray:
    return log_losses(labels, sigmoid(new)) - log_losses(labels, sigmoid(old))


def _graded_otherwise(move: Move, child: Bundle) -> int:
    old, new = sigmoid(move.rows.margin).tolist(), sigmoid(child.model.margin(move.rows.X)).tolist()
    cuts = move.parent.cuts
    return sum(
        (cuts.grade(was), cuts.flagged(was)) != (child.cuts.grade(now), child.cuts.flagged(now))
        for was, now in zip(old, new, strict=True)
    )
