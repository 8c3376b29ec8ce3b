"""What following the champion's offset came to, in figures and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from leadlight.model.bundle import Bundle
from leadlight.model.margins import FloatArray, sigmoid
from training.evaluate import Labels, log_losses
from training.offset import OWN, Move

SHOWN = frozenset(
    {"parent_version", "leads", "converted", "offsets", "error", "log_loss_in_sample", "interval_width", "source"}
)
"""What a verdict and its model card keep of a ``Recalibrated``."""


@dataclass(frozen=True)
class Recalibrated:
    """What following the offset came to; without ``version`` it stays as it is.

    Offsets and ``error`` are log-odds, ``log_loss_in_sample`` and ``interval_width`` means over the mature leads that
    moved it (before, after); what following does on later leads is among the ``rules``.
    """

    target: str
    version: int | None
    parent_version: int
    parent_sha256: str
    bundle_sha256: str
    leads: int
    converted: int
    offsets: tuple[float, float]
    error: float
    log_loss_in_sample: tuple[float, float]
    interval_width: tuple[float, float]
    source: str
    rules: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as one object."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The same in words."""
        before, after = self.offsets
        seen = f"{self.leads:,} leads of known outcome since training ({self.source}), {self.converted:,} converted"
        if self.version is None:
            return [f"{self.target}: the offset stays at {before:+.3f}: it would move by {after - before:+.4f}", seen]
        loss, width = self.log_loss_in_sample, self.interval_width
        return [
            f"{self.target} version {self.version}: version {self.parent_version} with its offset moved",
            f"bundle {self.bundle_sha256}",
            seen,
            f"offset {before:+.3f} to {after:+.3f} (standard error {self.error:.3f}); the same leads are flagged",
            *(f"forward: {rule['evidence']}" for rule in self.rules if rule["name"] == f"{OWN}log_loss_forward"),
            f"in-sample: log loss of the leads that moved it {loss[0]:.5f} to {loss[1]:.5f}",
            f"mean width of the interval {width[0]:.3f} to {width[1]:.3f}",
        ]


def recalibrated(move: Move, child: Bundle, version: int | None, rules: tuple[dict[str, Any], ...]) -> Recalibrated:
    """What ``move`` came to as ``child``; without a ``version`` there is none of it."""
    labels = move.rows.label
    old, new = move.rows.margin, move.before + move.offset
    return Recalibrated(
        target=move.parent.manifest.origin.target,
        version=version,
        parent_version=move.champion.version,
        parent_sha256=move.parent.sha256,
        bundle_sha256=child.sha256,
        leads=len(labels),
        converted=int(labels.sum(dtype=np.int64)),
        offsets=(move.parent.model.offset, move.offset),
        error=move.error,
        log_loss_in_sample=(_loss(labels, old), _loss(labels, new)),
        interval_width=(_width(move.parent, old), _width(child, new)),
        source=move.rows.source,
        rules=rules,
    )


def _loss(labels: Labels, margins: FloatArray) -> float:
    return float(log_losses(labels, sigmoid(margins)).mean())


def _width(bundle: Bundle, margins: FloatArray) -> float:
    low, high = bundle.model.interval.around(sigmoid(margins), margins)
    return float((high - low).mean())
