"""What a probability means to people: the grade, the 0-100 score and the flag, by cuts frozen with the model."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any, Literal, Self

Grade = Literal["A", "B", "C", "D"]


@dataclass(frozen=True)
class Cuts:
    """Frozen probabilities: the operating ``threshold``, the least of grades A, B and C, and the 101 percentiles."""

    threshold: float
    a: float
    b: float
    c: float
    quantiles: tuple[float, ...]

    def flagged(self, probability: float) -> bool:
        """Whether the site acts on this probability."""
        return probability >= self.threshold

    def grade(self, probability: float) -> Grade:
        """A, B, C or D; a probability at a cut has the better grade."""
        if probability >= self.a:
            return "A"
        if probability >= self.b:
            return "B"
        return "C" if probability >= self.c else "D"

    def score(self, probability: float) -> int:
        """The percentile, 0 to 100, of a probability among the calibration rows; in the middle of equal ones."""
        below, upto = bisect_left(self.quantiles, probability), bisect_right(self.quantiles, probability)
        return max((below + upto - 1) // 2, 0)

    def to_json(self) -> dict[str, Any]:
        """A document that ``from_json`` reads back as equal cuts."""
        return {"a": self.a, "b": self.b, "c": self.c, "quantiles": list(self.quantiles), "threshold": self.threshold}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        return cls(**{**document, "quantiles": tuple(document["quantiles"])})
