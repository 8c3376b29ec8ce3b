"""What a watch concludes: tests of one run, held to one rate of false alarms, and the findings with their advice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["missing", "unknown", "values", "score", "calibration", "promise", "performance", "delay"]
INPUTS: tuple[Kind, ...] = ("missing", "unknown", "values")


@dataclass(frozen=True)
class Check:
    """One thing tested against "nothing has changed": its exact or simulated p-value, and whether it would matter.

    ``subject`` is a column, a grade or a metric, never a value of a lead; ``words`` tell what was seen.
    """

    kind: Kind
    subject: str
    p: float
    effect: float
    matters: bool
    words: str
    advice: str


@dataclass(frozen=True)
class Finding:
    """A check that is off by more than chance and by enough to matter; ``p`` is corrected for all checks of the run."""

    kind: Kind
    subject: str
    p: float
    effect: float
    words: str
    advice: str

    def id(self, bundle_sha256: str) -> str:
        """Names this finding about that bundle: the same as long as it is the same."""
        return hashlib.sha256(f"{bundle_sha256} {self.kind} {self.subject}".encode()).hexdigest()[:24]


def findings(checks: Sequence[Check], *, false_alarms: float) -> list[Finding]:
    """The checks that matter and are certain, the surest first; at most ``false_alarms`` of quiet runs have any.

    Half of that rate is for the inputs, which are many, and half for everything else; each half by Holm's method, which
    holds however the checks depend on one another.
    """
    found = []
    for family in ([c for c in checks if c.kind in INPUTS], [c for c in checks if c.kind not in INPUTS]):
        adjusted = holm([check.p for check in family])
        found += [
            Finding(check.kind, check.subject, p, check.effect, check.words, check.advice)
            for check, p in zip(family, adjusted, strict=True)
            if check.matters and p <= false_alarms / 2
        ]
    return sorted(found, key=lambda finding: (finding.p, finding.kind, finding.subject))


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value corrected for all: any is at or under a rate by chance at most that often (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(order))
    so_far = 0.0
    for place, index in enumerate(order):
        so_far = max(so_far, min((len(order) - place) * p_values[index], 1.0))
        adjusted[index] = so_far
    return [float(p) for p in adjusted]


def advice(found: Sequence[Finding]) -> list[str]:
    """What to do, each thing once: sources first, for a model is not to be fitted to a fault of its data."""
    order = {"look at source": 0, "recalibrate": 1, "retrain": 2}
    told = dict.fromkeys(finding.advice for finding in found)
    return sorted(told, key=lambda words: min((n for head, n in order.items() if words.startswith(head)), default=3))
