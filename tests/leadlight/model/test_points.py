from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.model.encoder import Encoder
from leadlight.model.points import PointsPart
from leadlight.settings import SiteError
from leadlight.settings.points import Condition, PointsTable, parse_condition, read_points

COLUMNS = ("page_views", "trials_booked", "price_views", "city", "age")
ENCODER = Encoder(COLUMNS, {"city": ("Beijing", "Wuhan")})
RENEWAL = """
[[rule]] # the worked example of the domain: page 1, page and trial booking 3, all key paying behaviours 10
when = "page_views >= 1"
points = 1
scale = "buying"

[[rule]]
when = ["page_views >= 1", "trials_booked >= 1"]
points = 3
scale = "buying"

[[rule]]
when = ["page_views >= 1", "trials_booked >= 1", "price_views >= 1"]
points = 10
scale = "buying"
"""
MORE = """
[[rule]]
when = "city = 'Wuhan'"
points = -2

[[rule]]
when = "age is missing"
points = 0.5

[[rule]]
when = ["age is known", "age < 30", "city != 'Wuhan'"]
points = 4
"""


def card(text: str, folder: Path) -> PointsPart:
    """The part that this table is."""
    (folder / "points.toml").write_text(text, encoding="utf-8")
    return PointsPart.of(read_points(folder / "points.toml"), COLUMNS, ENCODER.levels)


def lead(**values: float | str | None) -> np.ndarray:
    """One lead's vector, zero and unknown where nothing is said."""
    usual: dict[str, float | str | None] = {"page_views": 0, "trials_booked": 0, "price_views": 0}
    return ENCODER.encode({name: [{**usual, **values}.get(name)] for name in COLUMNS})


@pytest.mark.parametrize(
    ("page", "trial", "price", "points"),
    [(0, 0, 0, 0), (1, 0, 0, 1), (0, 1, 1, 0), (2, 1, 0, 3), (1, 1, 1, 10), (5, 3, 2, 10)],
)
def test_the_worked_example_of_a_renewal_card(page: int, trial: int, price: int, points: float, tmp_path: Path) -> None:
    """Product page 1 point; page and trial booking 3; all key paying behaviours 10; never the sum of them."""
    given_points = card(RENEWAL, tmp_path).points(lead(page_views=page, trials_booked=trial, price_views=price))

    assert given_points.sum() == pytest.approx(points)


def test_a_rules_points_are_shared_among_the_columns_it_looks_at(tmp_path: Path) -> None:
    """Ten points for three behaviours are a third each; nothing is given to a column that was not looked at."""
    found = card(RENEWAL, tmp_path).points(lead(page_views=1, trials_booked=1, price_views=1))[0]

    assert found == pytest.approx([10 / 3, 10 / 3, 10 / 3, 0, 0])


def test_rules_without_a_scale_add_up_and_a_missing_value_meets_no_comparison(tmp_path: Path) -> None:
    """An unknown age meets ``is missing`` alone; an unknown city neither is Wuhan nor is not."""
    part = card(MORE, tmp_path)

    def points(**values: float | str | None) -> float:
        return float(part.points(lead(**values)).sum())

    assert points(city="Wuhan", age=20) == -2
    assert points(city="Wuhan") == -1.5
    assert points(city="Beijing", age=20) == 4
    assert points(city="Beijing", age=30) == 0
    assert points(age=20) == 0
    assert points(city="never seen", age=20) == 4


@given(st.lists(st.floats(-5, 5) | st.none(), min_size=3, max_size=3), st.sampled_from(["Beijing", "Wuhan", "x", None]))
def test_contributions_are_the_score_and_survive_json(values: list[float | None], city: str | None) -> None:
    """Base and contributions are the margin, and the part read back from JSON gives the same bits."""
    rules = [
        {"when": ["a >= 1", "b is known"], "points": 3.5, "scale": "s"},
        {"when": "b < 0", "points": -2, "scale": "s"},
        {"when": ["city == 'Wuhan'", "c <= 2"], "points": 1},
    ]
    encoder = Encoder(("a", "b", "c", "city"), {"city": ("Beijing", "Wuhan")})
    bare = PointsPart.of(PointsTable.model_validate({"rule": rules}), encoder.columns, encoder.levels)
    part = PointsPart(bare.rules, bare.columns, slope=0.37, base=-2.0)
    row = encoder.encode(dict(zip(encoder.columns, [[value] for value in (*values, city)], strict=True)))

    margin = part.margin(part.contributions(row))
    again = PointsPart.from_json(json.loads(json.dumps(part.to_json())))

    assert margin[0] == pytest.approx(part.base + part.contributions(row).sum(), abs=1e-9)
    assert again.contributions(row).tobytes() == part.contributions(row).tobytes()
    assert again.base == part.base


@pytest.mark.parametrize("text", ["a >= 1", "a == 'x y'", "a is missing", "a is known", "a != -2.5", "a < 1e-05"])
def test_a_condition_is_read_as_it_is_written(text: str) -> None:
    """What a condition says of itself is read back as the same one."""
    assert str(parse_condition(text)) == text
    assert parse_condition(str(parse_condition(text))) == parse_condition(text)
    assert parse_condition("a = 3") == Condition("a", "==", 3.0)


def test_every_fault_of_a_table_is_told_at_once(tmp_path: Path) -> None:
    """Words that are no condition, no points, points without a number, and keys that do not exist."""
    text = """
    [[rule]]
    when = "age is young"
    points = 1
    [[rule]]
    when = []
    points = 0
    [[rule]]
    when = "age > 3"
    points = nan
    colour = "red"
    """

    with pytest.raises(SiteError) as caught:
        card(text, tmp_path)

    told = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 5
    assert "rule.0.when: a condition looks like" in told
    assert "rule.1.when" in told
    assert "rule.1.points: a rule without points says nothing" in told
    assert "rule.2.points" in told
    assert "rule.2.colour" in told
