"""What an encoder learns from rows: which columns are categories, and their frequent levels."""

from __future__ import annotations

from collections import Counter

import pandas as pd
from pandas.api.types import is_numeric_dtype

from leadlight.model.encoder import Encoder

FEWEST_ROWS = 20
MOST_LEVELS = 40


def learn_encoder(rows: pd.DataFrame) -> Encoder:
    """The encoder of these rows: levels with at least 20 rows, the 40 most frequent, ties by name."""
    categories = [name for name in rows.columns if not is_numeric_dtype(rows[name])]
    return Encoder(columns=tuple(rows.columns), levels={name: _frequent(rows[name]) for name in categories})


def _frequent(values: pd.Series[str]) -> tuple[str, ...]:
    counts = Counter(values.dropna().tolist())
    levels = sorted(
        (level for level, rows in counts.items() if rows >= FEWEST_ROWS), key=lambda level: (-counts[level], level)
    )
    return tuple(levels[:MOST_LEVELS])
