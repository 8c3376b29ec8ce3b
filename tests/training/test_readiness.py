"""The readiness report: counts by month and channel, what a promotion needs, what is missing, and warnings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from features.build import build
from leadlight.schema import DAY, HOUR
from leadlight.settings import Target
from tests.features.raw_builders import WALL, leads, school
from training.gate import ALPHA, alpha_of, clopper_pearson
from training.readiness import Channel, Evidence, Month, Promotion, Readiness, readiness
from training.readiness.promotion import promotion

START = 20_000 * DAY

LEADS = """
SELECT 'L' || n AS lead_id, TIMESTAMP '2025-01-20 10:00' + to_days(n::INTEGER) AS created_at,
    ['sem', 'app'][n % 2 + 1] AS channel, 'Wuhan' AS city, if(n % 3 = 0, 1.0, NULL) AS budget
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
    return readiness(site, catalogue, built, state=folder / "state")


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
    from training.readiness.report import _warnings

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

    (target,) = readiness(site, catalogue, built, state=tmp_path / "state").targets
    assert target.converted == 0
    assert target.warnings[0].startswith("no lead converts")


def mature(leads: int, *, rate: float, rows_each: int = 1) -> pd.DataFrame:
    """Leads asked about once a day each, one after the other; every so many converts in all its rows."""
    number = np.repeat(np.arange(leads), rows_each)
    as_of = START + np.arange(len(number), dtype=np.int64) * HOUR
    every = round(1 / rate)
    label = (number % every == 0).astype(np.int8)
    return pd.DataFrame({"lead_id": [f"L{each:05d}" for each in number], "as_of": as_of, "label": label})


def expected(leads: int, *, rows_each: int = 1, **operate: object) -> Promotion:
    """What a test of the latest fifth of these rows promises; one lead in four converts."""
    gate = {"precision": 0.4, "recall": 0.2}
    target = Target.model_validate(
        {"outcome": ["order"], "horizon": "1h", "observe": {"offsets": ["7d"]}, "gate": gate, "operate": operate}
    )
    found = promotion(target, mature(leads, rate=0.25, rows_each=rows_each), offset=0)
    assert found is not None
    return found


def test_the_interval_is_the_one_the_gate_will_compute() -> None:
    """A model right at the threshold gets the gate's own bounds, and the least share that passes does pass there."""
    found = expected(5000, flag_share=0.1)
    precision, recall = found.proofs

    assert (found.test_rows, found.test_leads, found.test_converted) == (1000, 1000, 250)
    assert (precision.among, recall.among) == (100, 250)
    assert (precision.lower, precision.upper) == (
        clopper_pearson(40, 100, alpha=alpha_of(1))[0],
        clopper_pearson(40, 100, alpha=ALPHA)[1],
    )
    assert precision.passes_from is not None
    least = round(100 * precision.passes_from)
    assert (
        clopper_pearson(least, 100, alpha=alpha_of(1))[0] >= 0.4 > clopper_pearson(least - 1, 100, alpha=alpha_of(1))[0]
    )


def test_more_evidence_makes_a_narrower_interval() -> None:
    """Four times the leads halve the width, about, and less is lacking."""
    few, many = expected(4000).proofs[0], expected(16_000).proofs[0]

    assert many.width == pytest.approx(few.width / 2, rel=0.1)
    assert few.more - many.more == many.among - few.among


def test_what_is_said_to_be_needed_is_enough_four_times_in_five() -> None:
    """Of models that really are 5 points over both thresholds, 80 % pass both rules with as many leads as it says."""
    both = 1.0

    for proof in expected(4000).proofs:
        hits = range(proof.needed + 1)
        passing = [n for n in hits if clopper_pearson(n, proof.needed, alpha=alpha_of(1))[0] >= proof.threshold]
        assert proof.assumed == pytest.approx(proof.threshold + 0.05)
        both *= binom.sf(min(passing) - 1, proof.needed, proof.assumed)

    assert 0.80 <= both < 0.83


def test_rows_of_one_lead_count_as_one() -> None:
    """Seeing each lead five times gives the test more rows, and proves no more."""
    once, often = expected(4000), expected(4000, rows_each=5)

    assert often.test_rows == 5 * once.test_rows
    assert often.proofs == once.proofs


def test_a_capacity_says_how_many_are_flagged() -> None:
    """With room for six calls a day, a quarter of the 24 rows a day is flagged."""
    assert expected(4800, capacity=6).flag_share == pytest.approx(0.25, rel=0.05)


def test_a_lack_is_said_in_leads() -> None:
    """More flagged leads come with more converted ones; where nothing lacks, the report says so."""
    small, large = expected(1000), expected(100_000)

    assert small.more_flagged > 0
    assert small.more_converted >= small.more_flagged / small.flag_share * 0.25 - 1
    assert "a promotion would need about" in "\n".join(small.lines())
    assert (large.more_flagged, large.more_converted) == (0, 0)
    assert "large enough" in "\n".join(large.lines())


def test_what_is_missing_most_comes_first(evidence: Evidence) -> None:
    """Every third lead told its budget: of the 13 labelled rows 8 lack it, and of the open leads two in three."""
    (budget,) = evidence.missing

    assert budget.name == "budget"
    assert budget.rows == pytest.approx(8 / 13)
    assert budget.open_leads == pytest.approx(2 / 3, abs=0.05)
