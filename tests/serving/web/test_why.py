"""The chart of reasons adds up as it is shown."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from serving.reasons import slope, to_probability
from serving.schemas import Interval, Reason, Score
from serving.web.why import why_of


def _score(base: float, points: list[float]) -> Score:
    raw = base + sum(points)
    now = dt.datetime(2025, 10, 20, tzinfo=dt.UTC)
    reasons = tuple(
        Reason(
            group=f"g{number}",
            words=f"words {number}",
            direction="up" if share >= 0 else "down",
            points=share,
            percentage_points=100 * share * slope(base, raw),
            features=(),
        )
        for number, share in enumerate(points)
    )
    return Score(
        lead_id="lead",
        target="sale",
        probability=to_probability(raw),
        interval=Interval(low=0, high=1),
        base_probability=to_probability(base),
        base=base,
        raw=raw,
        reasons=reasons,
        as_of=now,
        features_as_of=now,
        scored_at=now,
        model_version="1",
        rung="blend",
    )


@given(base=st.floats(-5, 2), points=st.lists(st.floats(-2, 2).filter(lambda x: abs(x) > 1e-6), max_size=14))
def test_the_points_shown_sum_to_the_probability_shown(base: float, points: list[float]) -> None:
    """From the base down to the last line every number on the card adds up, whatever was rounded."""
    why = why_of(_score(base, points), "en")

    assert why is not None
    lines = [why.base, *(bar.points for bar in why.bars), *([why.rest.points] if why.rest else [])]
    total = sum(float(line.replace("%", "").replace("−", "-")) for line in lines)
    assert abs(total - float(why.probability.replace("%", ""))) < 1e-6
    assert all(
        bar.points.startswith("−") != (bar.direction == "up") or not bar.points.strip("+−0.") for bar in why.bars
    )


def test_strongest_reasons_for_stand_before_those_against() -> None:
    """Eight have a bar, at least two of the weaker direction among them; the longest is full, the rest is one line."""
    why = why_of(_score(-1.0, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.35, 0.33, -0.3, -0.2, -0.1]), "en")

    assert why is not None
    assert [bar.words for bar in why.bars] == [f"words {number}" for number in (0, 1, 2, 3, 4, 5, 8, 9)]
    assert why.bars[0].width == "100.0"
    assert why.rest is not None
    assert why.rest.words == "3 more together"


def test_the_sentence_says_what_the_chart_shows() -> None:
    """The text twin has the base, both sums and the probability."""
    why = why_of(_score(0.0, [1.0, -0.4]), "en")

    assert why is not None
    assert why.twin.startswith(
        "From the usual lead's 50 %, reasons for add 24 and reasons against take 9 points: 65 %."
    )
