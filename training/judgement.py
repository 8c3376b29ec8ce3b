"""A written bundle's one look at the test: scored, measured, compared with its rivals, and judged by the gate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.model.bundle import Bundle
from leadlight.model.margins import sigmoid
from leadlight.settings import Site
from leadlight.shelf import current_champion
from training.dataset import Dataset, local_months
from training.evaluate import Evaluation, Scored, by_slice, evaluate
from training.gate import Trial, Verdict, judge
from training.looks import look
from training.rivals import base_rate, champion_rival, logistic_rival

SUSPICIOUS_AUC = 0.90


@dataclass(frozen=True, eq=False)
class Judgement:
    """What the test rows said of a bundle, as a whole and by channel and local month, and the gate's verdict on it."""

    target: str
    bundle_sha256: str
    threshold: float
    scored: Scored
    evaluation: Evaluation
    channels: dict[str, Evaluation]
    months: dict[str, Evaluation]
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """What ``verdict.json`` holds: the verdict with every rule, and every metric, whole and sliced."""
        return {
            "target": self.target,
            "bundle_sha256": self.bundle_sha256,
            **self.verdict.to_json(),
            "metrics": {**self.evaluation.to_json(), "threshold": self.threshold},
            "channels": {name: part.to_json() for name, part in self.channels.items()},
            "months": {name: part.to_json() for name, part in self.months.items()},
        }


def assess(
    site: Site,
    bundle: Bundle,
    *,
    learned: Dataset,
    test: Dataset,
    notes: tuple[str, ...],
    state: Path,
    seed: int,
) -> Judgement:
    """Judge the bundle on the test rows, against the thresholds of its target and its rivals; counts as one look."""
    name = bundle.manifest.origin.target
    _, target = site.target(name)
    scored = Scored.of(test.lead_id, test.y, sigmoid(bundle.model.margin(test.X)), threshold=bundle.cuts.threshold)
    evaluation = evaluate(scored, seed=seed)
    named = current_champion(state, name)
    champion, remark = champion_rival(state, name, test.X)
    logistic = logistic_rival(learned, test.X, seed=seed)
    trial = Trial(
        scored=scored,
        evaluation=evaluation,
        base_rate=base_rate(learned, len(test.y)),
        rivals={"logistic": logistic} if champion is None else {"logistic": logistic, "champion": champion},
        outcomes={"training": _outcomes(learned), "test": _outcomes(test)},
        champion=None if named is None else named.bundle_sha256,
    )
    looks = look(state, name, window=test.keys_digest, bundle_sha256=bundle.sha256)
    notes = tuple(note for note in (*notes, remark, _suspicion(evaluation)) if note)
    return Judgement(
        target=name,
        bundle_sha256=bundle.sha256,
        threshold=bundle.cuts.threshold,
        scored=scored,
        evaluation=evaluation,
        channels=by_slice(scored, test.channel, seed=seed),
        months=by_slice(scored, local_months(test.as_of, site.offset), seed=seed),
        verdict=judge(target.gate, trial, looks=looks, notes=notes),
    )


def _outcomes(rows: Dataset) -> tuple[int, int]:
    """How many leads converted in some row, and how many in none."""
    converted = len(set(rows.lead_id[rows.y == 1]))
    return converted, len(set(rows.lead_id)) - converted


def _suspicion(evaluation: Evaluation) -> str:
    auc = evaluation.metrics["auc"]
    if auc is None or auc.value <= SUSPICIOUS_AUC:
        return ""
    return f"AUC {auc.value:.3f} is above {SUSPICIOUS_AUC:.2f}: on lead data nearly always a leak, or made-up data"
