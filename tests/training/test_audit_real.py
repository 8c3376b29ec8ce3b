"""The whole audit on the two real data sets: what it sees of the known leaks, and that honest features are spared."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from features.build import build
from features.catalogue import load_catalogue
from leadlight.schema import to_micros
from leadlight.settings import load_site
from training.audit import Report, full_audit

EXAMPLES = Path(__file__).parents[2] / "examples"
WALL = to_micros(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def audited(name: str, data: Path, state: Path, *targets: str) -> list[Report]:
    """The example site, built from the real files, and the audits of these targets."""
    site = load_site(EXAMPLES / name)
    catalogue = load_catalogue(site)
    build(site, catalogue, state=state, data=data, as_of=None, wall=WALL)
    return [full_audit(site, catalogue, target, state=state, data=data) for target in targets]


@pytest.mark.proof
def test_the_raw_columns_of_a_crm_export(real_data: Path, tmp_path: Path) -> None:
    """Sales' own verdicts are leaks; of the other columns that sales filled in, each is listed with what was seen."""
    (report,) = audited("x_education", real_data / "x_education", tmp_path, "converted")

    verdicts = {each.name: each.verdict for each in report.columns}
    assert {name for name, verdict in verdicts.items() if verdict != "ok"} == {
        "Converted",
        "Tags",
        "Lead Quality",
        "Lead Profile",
    }
    assert report.faults == ()
    others = [each for each in report.columns if each.name.startswith(("Asymmetrique", "Last"))]
    assert len(others) == 6
    assert all("AUC" in each.evidence[0] and "has no time" in " ".join(each.evidence) for each in others)


@pytest.mark.proof
def test_the_dated_features_of_the_platform_are_spared(real_data: Path, tmp_path: Path) -> None:
    """No feature and no attribute of two targets is even suspect; the purchases' own columns are leaks."""
    reports = audited("learning_platform", real_data / "learning_platform", tmp_path, "panel", "week_one")

    for report in reports:
        dated = [each for each in report.columns if each.source in {"catalogue", "history"}]
        assert len(dated) > 30
        assert [each.name for each in dated if each.verdict != "ok"] == []
        purchases = [each for each in report.columns if each.source == "later_student_purchases.csv"]
        assert {each.verdict for each in purchases} == {"leak"}
