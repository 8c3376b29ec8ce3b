"""Rows to vectors: the one builder of model input, offline and online."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np

from leadlight.model.margins import FloatArray
from leadlight.settings import SiteError

MISSING, RARE, FIRST = 0, 1, 2
TREE_LEVELS = 30


class Columns(Protocol):
    """Values by column name: a DataFrame, or a dict of equally long lists."""

    def __contains__(self, name: object, /) -> bool: ...

    def __getitem__(self, name: Any, /) -> Any: ...  # noqa: ANN401  # what pandas declares


@dataclass(frozen=True)
class Encoder:
    """The columns of a model in order, and the known levels of its categories, the most frequent first.

    A number becomes itself, missing (None or NaN) becomes NaN. A category becomes ``FIRST`` + the place of its level,
    ``MISSING`` if it is None or NaN, and ``RARE`` if it is any value that is not a known level.
    """

    columns: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]

    def encode(self, rows: Columns) -> FloatArray:
        """The matrix (rows x columns) of the given values; a column that is not there is a ``SiteError``."""
        absent = [name for name in self.columns if name not in rows]
        if absent:
            raise SiteError(
                [f"the model needs column {name!r}, which these rows lack: build them again" for name in absent]
            )
        matrix = np.empty((len(rows[self.columns[0]]), len(self.columns)), dtype=np.float64)
        for position, name in enumerate(self.columns):
            codes = self._codes.get(name)
            if codes is None:
                matrix[:, position] = np.asarray(rows[name], dtype=np.float64)
            else:
                matrix[:, position] = [codes.get(value, RARE) if value == value else MISSING for value in rows[name]]  # noqa: PLR0124  # NaN alone differs from itself
        return matrix

    def for_trees(self, matrix: FloatArray) -> FloatArray:
        """The same matrix with every category's levels beyond the trees' limit made rare."""
        if not self._wide:
            return matrix
        capped = matrix.copy()
        block = capped[:, self._wide]
        capped[:, self._wide] = np.where(block >= FIRST + TREE_LEVELS, RARE, block)
        return capped

    @property
    def numbers(self) -> list[int]:
        """Positions of the number columns."""
        return [position for position, name in enumerate(self.columns) if name not in self.levels]

    @property
    def categories(self) -> list[int]:
        """Positions of the category columns."""
        return [position for position, name in enumerate(self.columns) if name in self.levels]

    @cached_property
    def _codes(self) -> dict[str, dict[object, int]]:
        return {
            name: {None: MISSING} | {level: FIRST + place for place, level in enumerate(levels)}
            for name, levels in self.levels.items()
        }

    @cached_property
    def _wide(self) -> list[int]:
        return [place for place in self.categories if len(self.levels[self.columns[place]]) > TREE_LEVELS]

    def to_json(self) -> dict[str, Any]:
        """A document that ``from_json`` reads back as an equal encoder."""
        return {"columns": list(self.columns), "levels": {name: list(levels) for name, levels in self.levels.items()}}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        levels = {name: tuple(levels) for name, levels in document["levels"].items()}
        return cls(columns=tuple(document["columns"]), levels=levels)
