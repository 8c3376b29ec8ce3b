"""The card as a rung of the ladder: checked against the catalogue, weighed on few rows, in the bundle to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leadlight.model.blended import Rung
from leadlight.model.bundle import check_golden, load_bundle
from leadlight.schema import DAY
from leadlight.settings import SiteError
from leadlight.settings.points import PointsTable
from tests.leadlight.model.fit_builders import Rows, made_rows, written
from tests.training.training_builders import made_place
from tests.training.training_builders import made_rows as site_rows
from training.fit import Fitted, Wishes, fit, weigh_table
from training.points import load_points

TABLE = PointsTable.model_validate(
    {
        "rule": [
            {"when": "visits >= 2", "points": 1},
            {"when": "visits >= 4", "points": 2},
            {"when": "channel == 'referral'", "points": 3},
            {"when": "city == 'city 59'", "points": -1},
        ]
    }
)


def few(positives: int, rows: int = 300) -> Rows:
    """Made rows in which only so many, spread over time, kept their outcome."""
    made = made_rows(rows=rows)
    found = np.flatnonzero(made.y)
    y = np.zeros(rows, dtype=np.int8)
    y[found[np.linspace(0, len(found) - 1, positives).astype(np.intp)]] = 1
    return made._replace(y=y)


def fit_card(rows: Rows, *, workers: int = 2, table: PointsTable | None = TABLE) -> Fitted:
    """The fit of these rows at a site with this points table."""
    wishes = Wishes(card=table)
    return fit(rows.X, rows.y, rows.as_of, horizon=DAY, groups=rows.groups, seed=7, workers=workers, wishes=wishes)


@pytest.mark.parametrize(
    ("positives", "table", "rung"),
    [(9, None, "base_rate"), (9, TABLE, "scorecard"), (0, TABLE, "scorecard"), (10, TABLE, "logistic")],
)
def test_the_rung_goes_by_the_evidence(positives: int, table: PointsTable | None, rung: Rung) -> None:
    """Under 10 outcomes the site's card answers, or else the base rate; from 10 on a regression does."""
    assert fit_card(few(positives), table=table).model.rung == rung


def test_a_card_is_written_loaded_and_answers_as_before(tmp_path: Path) -> None:
    """Its bundle holds the rules in place of slopes, says its rung, and explains each point to the bit."""
    result = fit_card(few(6))

    bundle = load_bundle(tmp_path / "v1", expected=written(tmp_path / "v1", result))

    check_golden(bundle)
    rows = made_rows()
    before, after = result.model.score(rows.X), bundle.model.score(rows.X)
    assert bundle.model.rung == "scorecard"
    assert before.contributions.tobytes() == after.contributions.tobytes()
    assert np.abs(after.base + after.contributions.sum(axis=1) - after.raw).max() <= 1e-9
    assert '"rung":"scorecard"' in (tmp_path / "v1" / "blend.json").read_text()
    assert not (tmp_path / "v1" / "linear.json").exists()


def test_a_rare_level_of_a_rule_counts_however_few_rows_have_it() -> None:
    """``city 59`` has fewer rows than a level needs to be learned, and takes its point all the same."""
    model = fit_card(few(6)).model
    row = {"visits": [1.0], "minutes": [5.0], "channel": ["ads"], "empty": [None], "always": [1.0], "nothing": [None]}

    here, elsewhere = (model.score({**row, "city": [city]}).raw[0] for city in ("city 59", "city 1"))

    assert here < elsewhere


def test_without_outcomes_a_point_is_worth_what_is_usual_and_with_many_what_they_say() -> None:
    """The worth of a standard deviation is 0.7 where nothing is known; with 1,500 rows it is that of a regression."""
    rows = made_rows()
    encoder, unknown = weigh_table(TABLE, rows.X, np.zeros(1500, dtype=np.int8))
    _, known = weigh_table(TABLE, rows.X, rows.y)
    points = unknown.points(encoder.encode(rows.X)).sum(axis=1)

    usual = unknown.slope * points.std()
    said = 1 / (1 + np.exp(-known.margin(known.contributions(encoder.encode(rows.X)))))

    assert 0.6 < usual <= 0.7
    assert said.mean() == pytest.approx(rows.y.mean(), abs=0.002)
    assert np.average(points, weights=said) == pytest.approx(np.average(points, weights=rows.y), abs=0.05)


def test_points_never_count_against_the_outcome() -> None:
    """A card turned upside down ends at a worth of nothing, and the base rate."""
    rows = made_rows()

    _, part = weigh_table(TABLE, rows.X, (1 - rows.y).astype(np.int8))

    assert part.slope == 0.0
    assert 1 / (1 + np.exp(-part.base)) == pytest.approx(1 - rows.y.mean(), abs=0.002)


def test_a_table_is_held_against_the_columns_of_the_target(tmp_path: Path) -> None:
    """Unknown columns, text compared as numbers and numbers as text, and text put in order: all told at once."""
    place = made_place(tmp_path, site_rows(50))
    target = place.site.targets["sale"]
    assert load_points(place.site, target, place.catalogue.columns) is None
    (tmp_path / "points.toml").write_text(
        """
        [[rule]]
        when = ["visit >= 1", "visits >= 1"]
        points = 1
        [[rule]]
        when = ["city >= 1", "city > 'a'", "noise == 'high'", "city is known"]
        points = 2
        """
    )

    with pytest.raises(SiteError) as caught:
        load_points(place.site, target, place.catalogue.columns)

    assert len(caught.value.faults) == 4
    assert "no column 'visit': name one of the catalogue, such as visits" in caught.value.faults[0]
