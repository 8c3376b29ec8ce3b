"""All that a verdict rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadlight.model.margins import FloatArray
from training.evaluate import Evaluation, Scored
from training.slices import Slice


@dataclass(frozen=True, eq=False)
class Rival:
    """Another opinion on the test rows: its probabilities, or, if it can have none, the reason."""

    p: FloatArray | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Trial:
    """A candidate's test rows and whom it is compared with.

    ``outcomes`` counts leads (converted, not) by part; ``champion`` is the bundle that serves now; ``slices`` are parts
    of the rows; ``leaks`` are columns that look like leaks and that the site does not vouch for.
    """

    scored: Scored
    evaluation: Evaluation
    base_rate: FloatArray
    rivals: Mapping[str, Rival]
    outcomes: Mapping[str, tuple[int, int]]
    champion: str | None = None
    slices: tuple[Slice, ...] = ()
    leaks: tuple[str, ...] = ()

    @property
    def converted(self) -> int:
        """Leads that converted in the test: the scarce part of its evidence."""
        return len(set(self.scored.lead[self.scored.y == 1].tolist()))
