"""The readiness report: counts by month and channel, and a warning where the data are too few."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.build import build
from tests.features.raw_builders import WALL, leads, school
from training.readiness import Channel, Evidence, Month, Readiness, readiness

LEADS = """
SELECT 'L' || n AS lead_id, TIMESTAMP '2025-01-20 10:00' + to_days(n::INTEGER) AS created_at,
    ['sem', 'app'][n % 2 + 1] AS channel, 'Wuhan' AS city, 1.0 AS budget
FROM range({leads}) AS people(n)
"""
ORDERS = """
SELECT 'O' || n AS event_id, 'L' || n AS lead_id, 'order' AS kind,
    TIMESTAMP '2025-01-30 10:00' + to_days(n::INTEGER) AS at, NULL::TIMESTAMP AS arrived_at,
    NULL::BIGINT AS amount, NULL::VARCHAR AS course, NULL::VARCHAR AS status
FROM range({orders}) AS bought(n)
"""


def report(folder: Path, *, leads: int, orders: int) -> Readiness:
    site, catalogue = school(folder, leads_sql=LEADS.format(leads=leads), events_sql=ORDERS.format(orders=orders))
    built = build(site, catalogue, state=folder / "state", data=folder / "data", as_of=None, wall=WALL)
    return readiness(site, built, state=folder / "state")


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Fifty leads, one a day from 20 January, observed on their eighth day; the first ten buy on their eleventh."""
    (target,) = report(tmp_path_factory.mktemp("school"), leads=50, orders=10).targets
    return target


def test_rows_are_counted_by_month_and_maturity(evidence: Evidence) -> None:
    """The newest fact is 10 March: rows observed by 8 February are mature, the rest wait."""
    assert evidence.months == (Month("2025-01", 5, 5, 5), Month("2025-02", 28, 8, 5), Month("2025-03", 10, 0, 0))
    assert (evidence.rows, evidence.positives) == (13, 10)


def test_leads_are_counted_by_channel(evidence: Evidence) -> None:
    """Each channel shows its leads with a mature row and those that convert, the largest first."""
    assert evidence.channels == (Channel("sem", 7, 5), Channel("app", 6, 5))


def test_too_few_to_judge_by_is_a_warning(evidence: Evidence) -> None:
    """Under 40 of either outcome the report announces the gate's verdict."""
    (warning,) = evidence.warnings

    assert "10 leads converted and 3 did not" in warning
    assert "not enough evidence" in warning


def test_little_and_enough_are_told_apart() -> None:
    """Under 120 converted or 1,000 leads a milder warning; above both none."""
    from training.readiness import _warnings

    assert len(list(_warnings(5_000, 119))) == len(list(_warnings(999, 400))) == 1
    assert not list(_warnings(1_000, 120))


def test_the_report_is_the_same_in_words_and_json(tmp_path: Path) -> None:
    """Every number of the report can be read at the terminal and by a program."""
    found = report(tmp_path, leads=60, orders=5)

    assert found.to_json()["targets"][0]["months"][0]["month"] == "2025-01"
    text = "\n".join(found.lines())
    assert "60 leads, 5 events" in text
    assert "channel sem" in text
    assert "warning" in text


def test_leads_alone_are_a_report_too(tmp_path: Path) -> None:
    """A site without any event is reported, not refused."""
    site, catalogue = school(
        tmp_path,
        leads_sql=leads("('L1', TIMESTAMP '2025-01-01 10:00', 'sem', 'Wuhan', 1.0)"),
        events_sql=ORDERS.format(orders=0),
    )

    built = build(site, catalogue, state=tmp_path / "state", data=tmp_path / "data", as_of=WALL, wall=WALL)

    (target,) = readiness(site, built, state=tmp_path / "state").targets
    assert target.converted == 0
    assert target.warnings[0].startswith("no lead converts")
