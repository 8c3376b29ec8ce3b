"""What an encoder learns from rows: which columns are categories, and their frequent levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd
from pandas.api.types import is_numeric_dtype

from leadlight.model.encoder import Encoder

FEWEST_ROWS = 20
MOST_LEVELS = 40


def learn_encoder(rows: pd.DataFrame, levels: Mapping[str, tuple[str, ...]] | None = None) -> Encoder:
    """The encoder of these rows: levels with at least 20 rows, the 40 most frequent, ties by name.

    ``levels`` are more that it must know by column, after those.
    """
    categories = [name for name in rows.columns if not is_numeric_dtype(rows[name])]
    known = {name: dict.fromkeys((*_frequent(rows[name]), *(levels or {}).get(name, ()))) for name in categories}
    return Encoder(columns=tuple(rows.columns), levels={name: tuple(found) for name, found in known.items()})


def _frequent(values: pd.Series[str]) -> tuple[str, ...]:
    counts = Counter(values.dropna().tolist())
    levels = sorted(
        (level for level, rows in counts.items() if rows >= FEWEST_ROWS), key=lambda level: (-counts[level], level)
    )
    return tuple(levels[:MOST_LEVELS])
