"""Drift of inputs and scores: quiet weeks stay quiet, drifted ones are found, and rows of one lead count once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadlight.model.encoder import Encoder
from leadlight.model.margins import sigmoid
from training.fit.encode import learn_encoder
from training.monitor.drift import Compared, changed, input_checks, psi, score_check
from training.monitor.findings import Check, findings
from training.reference import distributions, spread


def made(rows: int, *, seed: int, shift: float = 0.0, lost: float = 0.0, new_level: float = 0.0) -> pd.DataFrame:
    """Rows of a count, a continuous number often missing and a category; what is asked for has drifted."""
    random = np.random.default_rng(seed)
    level = random.choice(np.array(["a", "b", "c"], dtype=object), rows, p=[0.5, 0.3, 0.2])
    level[random.random(rows) < new_level] = "never seen"
    number = np.where(random.random(rows) < 0.2, np.nan, random.normal(shift, 1, rows))
    count = random.poisson(0.7 * np.exp(shift), rows).astype(np.float64)
    count[random.random(rows) < lost] = np.nan
    return pd.DataFrame({"count": count, "level": level, "number": number})


@pytest.fixture(scope="module")
def trained() -> tuple[dict[str, Any], Encoder]:
    """The reference of 3,000 leads."""
    rows = made(3_000, seed=1)
    encoder = learn_encoder(rows)
    scores = sigmoid(np.random.default_rng(2).normal(-2, 1, 3_000))
    return {**distributions(rows, encoder, scores), "leads": 3_000, "score": spread(scores)}, encoder


def checks(reference: dict[str, Any], rows: pd.DataFrame, *, leads: int | None = None) -> list[Check]:
    """The checks of a window of these rows."""
    window = Compared(rows, leads=leads or len(rows), rate=0.05, material=0.1, seed=7)
    return input_checks(reference, window, source=lambda name: f"leads.{name}", skip=frozenset())


def found(reference: dict[str, Any], rows: pd.DataFrame, *, leads: int | None = None) -> set[tuple[str, str]]:
    """Kind and subject of what is found in these rows."""
    return {(each.kind, each.subject) for each in findings(checks(reference, rows, leads=leads), false_alarms=0.05)}


def test_quiet_weeks_are_quiet(trained: tuple[dict[str, Any], Encoder]) -> None:
    """Of 40 weeks of 200 rows without drift, a plain PSI of 0.1 would alarm in most; here hardly one does."""
    reference, _ = trained
    weeks = [made(200, seed=100 + week) for week in range(40)]

    alarms = [bool(found(reference, week)) for week in weeks]

    assert sum(alarms) <= 4
    assert any(check.p < 0.3 for check in checks(reference, weeks[0]))


@pytest.mark.parametrize(
    ("drift", "seen"),
    [
        ({"shift": 0.8}, {("values", "count"), ("values", "number")}),
        ({"lost": 0.3}, {("missing", "count")}),
        ({"new_level": 0.3}, {("unknown", "level"), ("values", "level")}),
    ],
)
def test_drift_is_found_where_it_is(
    trained: tuple[dict[str, Any], Encoder], drift: dict[str, float], seen: set[tuple[str, str]]
) -> None:
    """Moved values, lost values and unknown levels, each in its own columns and nowhere else."""
    assert found(trained[0], made(400, seed=9, **drift)) == seen


def test_rows_of_one_lead_make_nothing_surer(trained: tuple[dict[str, Any], Encoder]) -> None:
    """Each row ten times, as rows of a tenth as many leads, tells as much as each once."""
    reference, _ = trained
    week = made(60, seed=11, shift=0.4)
    tenfold = pd.concat([week] * 10, ignore_index=True)

    once, counted_as_leads, counted_as_rows = (
        {(c.kind, c.subject): c.p for c in checks(reference, rows, leads=leads)}
        for rows, leads in ((week, 60), (tenfold, 60), (tenfold, 600))
    )

    assert counted_as_leads == once
    assert counted_as_rows["values", "number"] < once["values", "number"]


def test_a_score_that_moves_is_found(trained: tuple[dict[str, Any], Encoder]) -> None:
    """Against the deciles of training; scores from the same distribution are not."""
    reference, _ = trained
    scores = np.random.default_rng(3).normal(-2, 1, 500)
    window = Compared(pd.DataFrame(index=range(500)), leads=500, rate=0.05, material=0.1, seed=7)

    quiet, moved = (score_check(reference, sigmoid(scores + shift), window) for shift in (0.0, 0.6))

    assert findings([quiet], false_alarms=0.05) == []
    assert [each.kind for each in findings([moved], false_alarms=0.05)] == ["score"]


def test_the_p_value_is_uniform_without_drift() -> None:
    """Two samples of one distribution give each p-value as often as it says."""
    random = np.random.default_rng(4)
    shares = np.array([0.5, 0.2, 0.2, 0.1])
    draws = [
        changed(random.multinomial(800, shares), random.multinomial(150, shares), random=random, draws=1_999)
        for _ in range(200)
    ]

    p_values = np.array([draw.p for draw in draws])

    assert abs(np.mean(p_values <= 0.1) - 0.1) < 0.06
    assert abs(np.mean(p_values <= 0.5) - 0.5) < 0.1


def test_psi_by_hand() -> None:
    """Half a row is added to each bin: ln(3) / 2 times the difference of shares, twice."""
    assert psi(np.array([10, 30]), np.array([[10, 30], [31, 10]]))[0] == 0.0
    expected = (31.5 / 42 - 10.5 / 41) * np.log((31.5 / 42) / (10.5 / 41))
    expected += (10.5 / 42 - 30.5 / 41) * np.log((10.5 / 42) / (30.5 / 41))
    assert psi(np.array([10, 30]), np.array([[31, 10]]))[0] == pytest.approx(expected)
