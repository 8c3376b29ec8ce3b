"""A written bundle's one look at the test: scored, measured, compared with its rivals, and judged by the gate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadlight.model.bundle import Bundle
from leadlight.model.margins import sigmoid
from leadlight.settings import Site
from leadlight.shelf import current_champion
from training.as_judged import KEY, AsJudged
from training.audit import audit, kept
from training.capacity import AtCapacity, at_capacity
from training.dataset import Dataset, local_days, local_months
from training.evaluate import Evaluation, Names, Scored, by_slice, evaluate, log_odds
from training.gate import Trial, Verdict, judge
from training.looks import Window, look
from training.rivals import base_rate, champion_rival, logistic_rival
from training.slices import WorstSlice, slices_of, worst_slice

SUSPICIOUS_AUC = 0.90


@dataclass(frozen=True, eq=False)
class Judgement:
    """What the test rows said of a bundle, as a whole and in parts, and the gate's verdict on it."""

    target: str
    bundle_sha256: str
    threshold: float
    scored: Scored
    evaluation: Evaluation
    channels: dict[str, Evaluation]
    months: dict[str, Evaluation]
    seen: dict[str, Evaluation]
    capacity: AtCapacity | None
    worst_slice: WorstSlice | None
    as_judged: AsJudged
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """What ``verdict.json`` holds: the verdict with every rule, and every metric, whole and sliced."""
        return {
            "target": self.target,
            "bundle_sha256": self.bundle_sha256,
            **self.verdict.to_json(),
            "metrics": {**self.evaluation.to_json(), "threshold": self.threshold},
            "channels": _parts(self.channels),
            "months": _parts(self.months),
            "seen": _parts(self.seen),
            "capacity": self.capacity and self.capacity.to_json(),
            "worst_slice": self.worst_slice and self.worst_slice.to_json(),
            KEY: self.as_judged.to_json(),
        }


def assess(
    site: Site,
    bundle: Bundle,
    *,
    learned: Dataset,
    test: Dataset,
    seen: Names,
    notes: tuple[str, ...],
    state: Path,
    seed: int,
) -> Judgement:
    """Judge the bundle on the test rows, against the thresholds of its target and its rivals; counts as one look.

    ``seen`` says of each test row whether its lead is new or returning.
    """
    name = bundle.manifest.origin.target
    _, target = site.target(name)
    scored = score(bundle, test, site)
    evaluation = evaluate(scored, seed=seed)
    named = current_champion(state, name)
    champion, remark = champion_rival(state, name, test, target)
    logistic = logistic_rival(learned, test.X, seed=seed)
    slices = slices_of(test, seen, offset=site.offset)
    trial = Trial(
        scored=scored,
        evaluation=evaluation,
        base_rate=base_rate(learned, len(test.y)),
        rivals={"logistic": logistic} if champion is None else {"logistic": logistic, "champion": champion},
        outcomes={"training": learned.outcomes, "test": test.outcomes},
        champion=None if named is None else named.bundle_sha256,
        slices=slices,
        leaks=audit(learned, site.leaks, kept(learned, name, state)).faults,
    )
    looks = look(state, name, window=window_of(test), bundle_sha256=bundle.sha256)
    notes = tuple(note for note in (*notes, remark, _suspicion(evaluation)) if note)
    return Judgement(
        target=name,
        bundle_sha256=bundle.sha256,
        threshold=bundle.cuts.threshold,
        scored=scored,
        evaluation=evaluation,
        channels=by_slice(scored, test.channel, seed=seed),
        months=by_slice(scored, local_months(test.as_of, site.offset), seed=seed),
        seen=by_slice(scored, seen, seed=seed),
        capacity=at_capacity(scored, target.operate),
        worst_slice=worst_slice(scored, slices, seed=seed),
        as_judged=_as_judged(bundle, test, scored),
        verdict=judge(target.gate, trial, looks=looks, notes=notes),
    )


def score(bundle: Bundle, rows: Dataset, site: Site) -> Scored:
    """Rows as the bundle scores and flags them, with their local days."""
    p = sigmoid(bundle.model.margin(rows.X))
    return Scored.of(rows.lead_id, rows.y, p, threshold=bundle.cuts.threshold, day=local_days(rows.as_of, site.offset))


def _as_judged(bundle: Bundle, test: Dataset, scored: Scored) -> AsJudged:
    """Each lead by its first test row, as the monitor counts leads later."""
    first = ~pd.Series(test.lead_id, dtype=object).duplicated().to_numpy()
    p = scored.p[first]
    grades = np.array([bundle.cuts.grade(each) for each in p.tolist()], dtype=object)
    return AsJudged.of(log_odds(p), scored.y[first], grades)


def window_of(test: Dataset) -> Window:
    """The test rows as the list of looks knows them."""
    return Window(int(test.as_of[0]), int(test.as_of[-1]), test.keys_digest)


def _parts(parts: dict[str, Evaluation]) -> dict[str, dict[str, float | None]]:
    return {name: part.to_json() for name, part in parts.items()}


def _suspicion(evaluation: Evaluation) -> str:
    auc = evaluation.metrics["auc"]
    if auc is None or auc.value <= SUSPICIOUS_AUC:
        return ""
    return f"AUC {auc.value:.3f} is above {SUSPICIOUS_AUC:.2f}: on lead data nearly always a leak, or made-up data"
