"""What a bundle keeps of its training rows' distributions."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from training.fit.encode import learn_encoder
from training.reference import distributions


def test_distributions_count_every_row_once() -> None:
    """Deciles of what is present, shares of what is missing, known levels and rare ones; all of it plain JSON."""
    rows = pd.DataFrame(
        {
            "visits": [float(number) for number in range(100)],
            "empty": [np.nan] * 100,
            "city": pd.Series(["Wuhan"] * 60 + ["Lhasa"] * 3 + [None] * 37, dtype=object),
        }
    )

    found = distributions(rows, learn_encoder(rows), np.linspace(0.0, 1.0, 100))

    assert found["columns"]["visits"] == {
        "counts": [10] * 10,
        "deciles": [0.0, *(10.0 * tenth - 1 for tenth in range(1, 11))],
        "missing": 0.0,
    }
    assert found["columns"]["empty"] == {"counts": [0], "deciles": [], "missing": 1.0}
    assert found["columns"]["city"] == {"levels": {"Wuhan": 60}, "missing": 0.37, "rare": 3}
    assert found["rows"] == 100
    assert json.loads(json.dumps(found, allow_nan=False)) == found
