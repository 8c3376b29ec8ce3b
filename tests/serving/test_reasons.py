"""Reasons sum to the score, in log-odds and in points of probability."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import Column, load_catalogue
from features.history import Value
from leadlight.settings import Site, load_site
from serving.reasons import Share, phrase, reasons, to_probability
from tests.serving.serving_builders import CATALOGUE, SITE

margins = st.floats(-8, 8)
POINTS = st.lists(st.floats(-4, 4), min_size=10, max_size=10)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, tuple[Column, ...]]:
    """The school's site and its columns."""
    folder: Path = tmp_path_factory.mktemp("site")
    (folder / "leadlight.toml").write_text(SITE, encoding="utf-8")
    (folder / "catalogue.toml").write_text(CATALOGUE, encoding="utf-8")
    site = load_site(folder)
    return site, load_catalogue(site).columns


@given(base=margins, points=POINTS)
def test_reasons_and_base_are_the_score(
    opened: tuple[Site, tuple[Column, ...]], base: float, points: list[float]
) -> None:
    """Base plus all points is the raw score, and base probability plus all percentage points the probability."""
    site, columns = opened
    raw = base + math.fsum(points)
    shares = [Share(column, None, share) for column, share in zip(columns, points, strict=True)]

    found = reasons(shares, base=base, raw=raw, site=site, language="en")

    assert base + math.fsum(each.points for each in found) == pytest.approx(raw, abs=1e-9)
    whole = 100 * to_probability(base) + math.fsum(each.percentage_points for each in found)
    assert whole == pytest.approx(100 * to_probability(raw), abs=1e-6)
    assert all((each.percentage_points >= 0) == (each.direction == "up") for each in found if each.percentage_points)


def test_opposite_shares_that_cancel_keep_their_own_points(opened: tuple[Site, tuple[Column, ...]]) -> None:
    """Where the sum is nothing each reason still has the size that the slope of the sigmoid gives it."""
    site, columns = opened
    shares = [Share(columns[0], "上海", 2.0), Share(columns[1], "sem", -2.0)]

    down, up = reasons(shares, base=0.0, raw=0.0, site=site, language="en")

    assert up.percentage_points == pytest.approx(50.0)
    assert down.percentage_points == pytest.approx(-50.0)


def test_a_feature_that_added_nothing_is_not_named(opened: tuple[Site, tuple[Column, ...]]) -> None:
    """No reason names a value that was not used, and the strongest reason comes first."""
    site, columns = opened
    shares = [Share(columns[0], "上海", 0.0), Share(columns[1], "sem", -0.5), Share(columns[2], 10.0, 0.7)]

    found = reasons(shares, base=-1.0, raw=-0.8, site=site, language="en")

    assert [each.group for each in found] == ["budget", "channel"]
    assert [feature.name for each in found for feature in each.features] == ["budget", "channel"]


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        ("channel", "sem", "来源渠道：搜索推广", "channel: search ads"),
        ("city", None, "城市：未知", "city: unknown"),
        ("pages_2d", 4, "近2天浏览课程详情次数：4", "course pages viewed in the last 2 days: 4"),
        ("idle", None, "最近活跃距今小时数：暂无", "hours since the last activity: none yet"),
        ("budget", 12_000.5, "预算：12,000.5", "budget: 12,000.5"),
        ("budget", 0.0, "预算：0", "budget: 0"),
        ("status", "in_contact", "当前跟进状态：联系中", "follow-up status: in contact"),
        ("status", "on fire", "当前跟进状态：on fire", "follow-up status: on fire"),
    ],
)
def test_a_value_is_said_in_words(
    opened: tuple[Site, tuple[Column, ...]], name: str, value: Value, zh: str, en: str
) -> None:
    """A feature is worded with the lead's own value; what is not known is called so."""
    site, columns = opened
    column = next(column for column in columns if column.name == name)

    said = phrase(column, value, site, "zh"), phrase(column, value, site, "en")

    assert said == (zh, en)
