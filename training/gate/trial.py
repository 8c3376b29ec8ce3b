"""All that a verdict rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadlight.model.margins import FloatArray
from training.evaluate import Evaluation, Scored
from training.slices import Slice


@dataclass(frozen=True, eq=False)
class Rival:
    """Another opinion on the test rows: its probabilities, or, if it can have none, the reason and what is needed.

    ``rows`` are those on which it is held against a candidate: all of them, unless it knows some of the outcomes.
    """

    p: FloatArray | None
    reason: str = ""
    rows: npt.NDArray[np.bool_] | None = None
    needed: int | None = None
    unit: str = ""


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
        return converted_leads(self.scored)


def converted_leads(rows: Scored) -> int:
    """How many leads converted in some row."""
    return len(set(rows.lead[rows.y == 1].tolist()))
