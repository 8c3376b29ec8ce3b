"""What one probe found: a verdict with its numbers in words, and how sure it has to be when many columns are asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from scipy.stats import norm

Verdict = Literal["ok", "suspect", "leak"]
OK: Final = "ok"
SUSPECT: Final = "suspect"
LEAK: Final = "leak"
_ORDER: Final[tuple[Verdict, ...]] = (OK, SUSPECT, LEAK)

FAMILY = 0.001
"""How likely one audit may be to accuse any honest column by chance, however many it looks at."""


@dataclass(frozen=True)
class Finding:
    """What ``probe`` says of a column; ``words`` follow the column's name."""

    probe: str
    verdict: Verdict
    words: str


@dataclass(frozen=True)
class Doubt:
    """How sure a probe must be: ``alpha`` for one column, ``errors`` the same in standard errors."""

    alpha: float
    errors: float

    @classmethod
    def among(cls, columns: int) -> Doubt:
        """Shared by so many columns (Bonferroni)."""
        alpha = FAMILY / max(columns, 1)
        return cls(alpha, float(norm.isf(alpha)))


def worst(findings: Iterable[Finding]) -> Verdict:
    """The gravest verdict; ``ok`` if nothing was found."""
    return max((finding.verdict for finding in findings), key=_ORDER.index, default=OK)
