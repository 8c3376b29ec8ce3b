"""The linear part: for each column a piecewise-linear function or a value per level, added up in log-odds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from leadlight.model.margins import FloatArray, IntArray, running_sum

HINGES = 4
TERMS = 3 + HINGES  # missing, common value, the number itself, and its hinges


@dataclass(frozen=True, eq=False)
class NumberTerms:
    """How the linear part sees numbers; every array has one entry a number column, ``knots`` is (hinges x columns).

    A number is clipped to ``low..high``, a missing one becomes ``fill``; ``skewed`` ones are compressed; then
    ``mean`` and ``scale`` standardise. ``common`` is the value most rows hold, NaN if there is none.
    """

    low: FloatArray
    high: FloatArray
    fill: FloatArray
    skewed: npt.NDArray[np.bool_]
    mean: FloatArray
    scale: FloatArray
    common: FloatArray
    knots: FloatArray

    def of(self, values: FloatArray) -> Iterator[FloatArray]:
        """The terms of every value, one array of the same shape after another; elementwise, so exact row by row."""
        missing = np.isnan(values)
        yield missing.astype(np.float64)
        yield (values == self.common).astype(np.float64)
        standard = self.standardised(np.where(missing, self.fill, values))
        yield standard
        for knot in self.knots:
            yield np.maximum(standard - knot, 0.0)

    def standardised(self, values: FloatArray) -> FloatArray:
        """Numbers on the scale of the knots."""
        held = np.clip(values, self.low, self.high)
        return (np.where(self.skewed, compress(held), held) - self.mean) / self.scale


def compress(values: FloatArray) -> FloatArray:
    """log2(1 + value), drawn straight between powers of two.

    Off the curve by at most 0.09, and made of exact arithmetic only: the same bits on every processor, which a
    library's logarithm does not promise.
    """
    mantissa, exponent = np.frexp(1.0 + values)
    return exponent + 2.0 * mantissa - 2.0


@dataclass(frozen=True, eq=False)
class LinearPart:
    """``base`` plus one centred contribution a column.

    ``slopes`` is (terms x number columns); ``effects`` is (category columns x codes), codes as the encoder gives them;
    ``centre`` is what each column adds in the training rows' mean, already inside ``base``.
    """

    numbers: IntArray
    categories: IntArray
    terms: NumberTerms
    slopes: FloatArray
    effects: FloatArray
    centre: FloatArray
    base: float

    def contributions(self, matrix: FloatArray) -> FloatArray:
        """What each column adds to the base (rows x columns)."""
        added = np.empty_like(matrix)
        numbers = np.zeros((len(matrix), len(self.numbers)))
        for slope, term in zip(self.slopes, self.terms.of(matrix[:, self.numbers]), strict=True):
            numbers += slope * term
        added[:, self.numbers] = numbers
        codes = matrix[:, self.categories].astype(np.intp)
        added[:, self.categories] = self.effects[np.arange(len(self.categories)), codes]
        return added - self.centre

    def margin(self, contributions: FloatArray) -> FloatArray:
        """The margin of each row from its contributions."""
        return running_sum(self.base, contributions)

    def to_json(self) -> dict[str, Any]:
        """A document that ``from_json`` reads back to the same bits."""
        return {
            "base": self.base,
            "categories": self.categories.tolist(),
            "centre": self.centre.tolist(),
            "effects": self.effects.tolist(),
            "numbers": self.numbers.tolist(),
            "slopes": self.slopes.tolist(),
            "terms": {field.name: _listed(getattr(self.terms, field.name)) for field in fields(NumberTerms)},
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        numbers = np.array(document["numbers"], dtype=np.intp)
        categories = np.array(document["categories"], dtype=np.intp)
        terms = {name: np.array(values, dtype=np.float64) for name, values in document["terms"].items()}
        skewed = terms.pop("skewed").astype(np.bool_)
        knots = terms.pop("knots").reshape(HINGES, len(numbers))
        effects = np.array(document["effects"], dtype=np.float64)
        return cls(
            numbers=numbers,
            categories=categories,
            terms=NumberTerms(**terms, skewed=skewed, knots=knots),
            slopes=np.array(document["slopes"], dtype=np.float64).reshape(TERMS, len(numbers)),
            effects=effects.reshape(len(categories), -1 if len(categories) else 0),
            centre=np.array(document["centre"], dtype=np.float64),
            base=float(document["base"]),
        )


def _listed(values: npt.NDArray[Any]) -> list[Any]:
    if values.dtype != np.float64 or values.ndim > 1:
        return list(values.tolist())
    return [None if np.isnan(value) else value for value in values.tolist()]
