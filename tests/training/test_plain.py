from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.leadlight.model.fit_builders import made_rows
from training.plain import PlainName, fit_plain

NAMES: list[PlainName] = ["logistic", "lightgbm", "hist"]


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_model_ranks_later_rows(name: PlainName) -> None:
    """Each finds what made the rows, whatever columns are empty, and says the same twice."""
    rows, later = made_rows(), made_rows(seed=8)

    probability = fit_plain(name, rows.X, rows.y, seed=7)(later.X)

    assert roc_auc_score(later.y, probability) > 0.65
    assert np.all((probability > 0) & (probability < 1))
    assert np.array_equal(probability, fit_plain(name, rows.X, rows.y, seed=7)(later.X))


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_happened_nothing_is_expected(name: PlainName) -> None:
    """Rows of one outcome make a constant."""
    rows = made_rows(rows=50)

    probability = fit_plain(name, rows.X, np.zeros(50, dtype=np.int8), seed=7)(rows.X)

    assert np.all(probability == 0.0)
