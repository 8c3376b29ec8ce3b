"""Deals at a day's capacity, counted by hand, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from leadlight.settings import Operate
from training.capacity import at_capacity, flagged_by
from training.evaluate import Scored


def scored() -> Scored:
    """Six days of four leads, the best two of each day at the end; of these, one converts on five of six days."""
    day = np.repeat(np.arange(6), 4)
    p = np.tile([0.1, 0.2, 0.6, 0.9], 6)
    y = np.tile([0, 0, 0, 1], 6).astype(np.int8)
    y[3] = 0
    return Scored(np.arange(24), y, p, p > 0.8, day)


def test_the_best_leads_of_each_day_are_called() -> None:
    """Two calls a day reach five deals in six days, where nine were promised and 2.5 come by chance."""
    found = at_capacity(scored(), Operate(capacity=2))

    assert found is not None
    assert (found.days, found.called, found.calls_a_day) == (6, 12, 2.0)
    assert found.deals_a_day == pytest.approx(5 / 6)
    assert found.promised_a_day == pytest.approx(1.5)
    assert found.by_chance_a_day == pytest.approx(2 * 5 / 24)
    assert found.lift == pytest.approx((5 / 12) / (5 / 24))
    assert 0 <= found.deals_a_day_lower < found.deals_a_day < found.deals_a_day_upper <= 2
    assert "the best 2 leads a day (2.0 calls a day over 6 days): 0.83 of a day's calls end in a deal" in found.line()


def test_days_with_fewer_leads_are_called_whole() -> None:
    """Nobody is called twice, and a capacity of all leads has no lift."""
    found = at_capacity(scored(), Operate(capacity=100))

    assert found is not None
    assert found.called == 24
    assert found.lift == pytest.approx(1.0)
    assert found.lift_lower == pytest.approx(1.0)


def test_without_a_capacity_the_flagged_are_called() -> None:
    """Those that the model flags; if it flags nobody, there is nothing to say."""
    rows = scored()
    nobody = Scored(rows.lead, rows.y, rows.p, np.zeros(24, dtype=bool), rows.day)

    found = at_capacity(rows, Operate())

    assert found is not None
    assert (found.capacity, found.called) == (None, 6)
    assert at_capacity(nobody, Operate()) is None


def test_the_interval_of_deals_covers_the_truth() -> None:
    """Over fresh outcomes, 95 % intervals of deals a day hold their expectation nearly always."""
    random = np.random.default_rng(2)
    p, day = random.beta(1, 4, 900), np.arange(900) % 30
    best = sum(float(np.sort(p[day == each])[-10:].sum()) for each in range(30)) / 30
    inside = 0

    for _ in range(100):
        y = (random.random(900) < p).astype(np.int8)
        found = at_capacity(Scored(np.arange(900), y, p, p > 0.5, day), Operate(capacity=10))
        assert found is not None
        inside += found.deals_a_day_lower <= best <= found.deals_a_day_upper

    assert inside >= 90


def test_a_capacity_becomes_a_share_of_rows() -> None:
    """200 calls a day over 30 days are 6,000 of 40,000 rows; a fixed threshold stays, and no share passes one."""
    assert flagged_by(Operate(capacity=200), rows=40_000, days=30).flag_share == pytest.approx(0.15)
    assert flagged_by(Operate(capacity=200), rows=100, days=30).flag_share == 1.0
    assert flagged_by(Operate(), rows=100, days=30).flag_share == 0.1
    assert flagged_by(Operate(capacity=5, threshold=0.3), rows=100, days=30).threshold == 0.3
