"""Rows with their outcome and probability, and the plain numbers of each: what every metric is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadlight.model.margins import FloatArray, IntArray

Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int8]
Names = npt.NDArray[np.object_]

BINS = 10
_TINY = 1e-15


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows with their outcome and probability; ``lead`` numbers the leads from 0, ``flagged`` is the site's choice.

    ``day`` numbers the local days on which the rows were looked at; ``None`` where they are not known.
    """

    lead: IntArray
    y: Labels
    p: FloatArray
    flagged: Flags
    day: IntArray | None = None

    @classmethod
    def of(cls, lead_id: Names, y: Labels, p: FloatArray, *, threshold: float, day: IntArray | None = None) -> Scored:
        """Rows whose probability reaches the frozen ``threshold`` are flagged."""
        return cls(_numbered(lead_id.astype(str)), y, p, p >= threshold, None if day is None else _numbered(day))

    def where(self, rows: Flags) -> Scored:
        """Some of the rows, their leads and days numbered anew."""
        day = None if self.day is None else _numbered(self.day[rows])
        return Scored(_numbered(self.lead[rows]), self.y[rows], self.p[rows], self.flagged[rows], day)


def _numbered(values: npt.NDArray[np.generic]) -> IntArray:
    return np.asarray(np.unique(values, return_inverse=True)[1])


def log_losses(y: Labels | FloatArray, p: FloatArray) -> FloatArray:
    """The log loss of each row; a probability of exactly 0 or 1 counts as 1e-15 away from it."""
    said = np.clip(np.where(y == 1, p, 1.0 - p), _TINY, 1.0)
    return np.asarray(-np.log(said))


def log_odds(p: FloatArray) -> FloatArray:
    """The log-odds of each probability; 0 and 1 count as 1e-15 away from themselves."""
    said = np.clip(p, _TINY, 1.0 - _TINY)
    return np.asarray(np.log(said) - np.log1p(-said))


def mass_bins(p: FloatArray) -> FloatArray:
    """Which of ten bins of equal mass each row is in (rows x bins, 0 or 1); equal probabilities share a bin."""
    rank = np.searchsorted(np.sort(p), p, side="left")
    return np.asarray((rank * BINS // len(p))[:, None] == np.arange(BINS), dtype=np.float64)
