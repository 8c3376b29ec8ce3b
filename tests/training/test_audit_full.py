"""The whole audit on a school with a leak of every kind: what it must see, in which columns, and whom it must spare."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from leadlight.settings import SiteError
from tests.training.audit_site import HONEST, LEAKS, built, leaky_site
from tests.training.training_builders import Place
from training.audit import Judged, Report, audit, full_audit, kept
from training.dataset import CALIBRATION, TRAIN, Dataset, load
from training.pipeline import train


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The school, built."""
    return built(leaky_site(tmp_path_factory.mktemp("leaky") / "site"))


@pytest.fixture(scope="module")
def report(place: Place) -> Report:
    """Its audit."""
    return full_audit(place.site, place.catalogue, "sale", state=place.state, data=place.site.folder / "data")


@pytest.fixture(scope="module")
def learned(place: Place) -> Dataset:
    """Its training rows."""
    return load(place.site, place.catalogue, "sale", state=place.state).part(TRAIN, CALIBRATION)


def column(report: Report, name: str, source: str = "") -> Judged:
    """The only column of this name in the raw files, or in ``source``."""
    (found,) = (
        each
        for each in report.columns
        if each.name.split(":")[-1] == name and (each.source == source or (not source and each.source.endswith("csv")))
    )
    return found


@pytest.mark.parametrize(("probe", "name"), LEAKS.items())
def test_every_kind_of_leak_is_accused_by_its_probe(report: Report, probe: str, name: str) -> None:
    """A planted column is a leak, and the probe for its kind says so with numbers."""
    found = column(report, name)

    (finding,) = (each for each in found.findings if each.probe == probe and each.verdict != "ok")
    assert found.verdict == "leak"
    assert finding.verdict == "leak"
    assert any(sign.isdigit() for sign in finding.words)


@pytest.mark.parametrize("name", HONEST)
def test_honest_raw_columns_are_spared(report: Report, name: str) -> None:
    """What was known from the start, notes that nobody shares and noise are ok, with what was seen of them."""
    found = column(report, name)

    assert found.verdict == "ok"
    assert found.evidence


def test_a_moment_of_the_outcome_is_a_leak(report: Report) -> None:
    """A column that holds moments after the outcome says so, though its file has no dates of its own."""
    found = column(report, "called_back_at")

    assert found.verdict == "leak"
    assert any("holds a moment at or after the outcome" in words for words in found.evidence)


def test_an_undated_column_is_said_to_have_no_time(report: Report) -> None:
    """A list with one row a lead cannot say when it was filled in."""
    assert any("has no time" in words for words in column(report, "segment").evidence)


def test_a_feature_that_the_files_show_only_later_is_a_leak(report: Report) -> None:
    """The site's SQL takes the newest adviser without its date: the file shows it after the outcome."""
    found = column(report, "adviser", "catalogue")

    assert found.verdict == "leak"
    assert found.to_json()["probes"] == ["known_later"]
    assert "crm.csv:adviser shows only after the outcome" in found.evidence[0]


def test_dated_features_are_spared(report: Report) -> None:
    """Counts and last values over dated events, and what was known at creation, are ok."""
    verdicts = {each.name: each.verdict for each in report.columns if each.source in {"catalogue", "history"}}

    assert {name for name, verdict in verdicts.items() if verdict != "ok"} == {"adviser"}
    assert {"city", "visits", "last_page", "leads.city", "visit.page"} <= set(verdicts)


def test_only_training_rows_are_looked_at(report: Report, learned: Dataset) -> None:
    """The audit counts the rows that a training fits, and none of the test."""
    assert (report.rows, report.converted) == (len(learned.y), int(learned.y.sum()))


def test_a_file_without_leads_is_noted(report: Report) -> None:
    """A price list has no column that names leads, and the report says that it was not judged."""
    assert report.notes == ("courses.csv is not judged: no column of it names leads",)


def test_the_report_is_one_json_object(report: Report) -> None:
    """Target, columns with name, verdict and evidence, and names that are never twice the same."""
    told = json.loads(json.dumps(report.to_json()))

    assert told["target"] == "sale"
    assert all({"name", "verdict", "evidence", "source", "used"} <= set(each) for each in told["columns"])
    names = [each["name"] for each in told["columns"]]
    assert len(set(names)) == len(names)
    assert {"adviser", "crm.csv:adviser", "leads.adviser", "verdict"} <= set(names)


def test_a_training_on_the_same_rows_knows_what_the_audit_saw(place: Place, learned: Dataset, report: Report) -> None:
    """The values of the column alone are innocent; with the audit before it, the training refuses it."""
    assert [fault.split("'")[1] for fault in report.faults] == ["adviser"]
    assert audit(learned, {}).faults == ()

    with pytest.raises(SiteError, match=r"column 'adviser' has values that crm\.csv:adviser shows only after"):
        train(place.site, place.catalogue, "sale", state=place.state)

    assert not (place.state / "bundles").exists()


def test_a_reason_lets_it_through_and_stays_beside_the_evidence(place: Place, learned: Dataset, report: Report) -> None:
    """What the site says under [leaks] is kept with what was seen."""
    assert report.faults

    found = audit(learned, {"adviser": "the CRM dates it late"}, kept(learned, "sale", place.state))

    assert found.faults == ()
    assert "only after the outcome" in found.allowed[0]
    assert found.allowed[0].endswith("allowed by the site: the CRM dates it late")


def test_what_an_audit_saw_of_other_rows_is_forgotten(place: Place, learned: Dataset, report: Report) -> None:
    """Findings on times hold for the rows they were made on, and for no others."""
    assert report.faults

    assert kept(learned, "sale", place.state)
    assert not kept(learned.part(TRAIN), "sale", place.state)


@pytest.mark.parametrize("damage", ['{"rows', "[]", "{}", "null", '{"rows": "ROWS", "findings": {"adviser": [{}]}}'])
def test_a_damaged_audit_stops_the_training_in_words(
    learned: Dataset, report: Report, tmp_path: Path, damage: str
) -> None:
    """It may have told of a leak: one fault names the file and the command that makes it anew."""
    assert report.faults
    path = tmp_path / "audit" / "sale.json"
    path.parent.mkdir()
    path.write_text(damage.replace("ROWS", learned.digest), encoding="utf-8")

    with pytest.raises(SiteError, match=r"leadlight audit SITE --target sale") as refused:
        kept(learned, "sale", tmp_path)

    (fault,) = refused.value.faults
    assert fault.startswith(str(path))


def test_the_page_stands_alone_and_says_it_all(report: Report) -> None:
    """One HTML document without scripts or addresses; tables have captions and headers; names are escaped."""
    page = report.page()

    assert page.startswith("<!doctype html>")
    assert '<html lang="en">' in page
    for sign in ("<script", "http", "src=", "<link", "@import"):
        assert sign not in page
    assert page.count("<caption>") == len({each.source for each in report.columns})
    assert page.count('<th scope="row">') == len(report.columns)
    assert "&#39;customer&#39;" in page


def test_the_words_have_every_accused_column(report: Report) -> None:
    """Each leak stands in the text with its evidence below it."""
    lines = report.lines()

    for each in report.columns:
        if each.verdict != "ok":
            place = lines.index(f"  {each.verdict:7} {each.name}")
            assert lines[place + 1].strip() == each.evidence[0]


def test_too_few_outcomes_accuse_nobody(tmp_path: Path) -> None:
    """With a handful of leads the report says so and judges no column."""
    few = built(leaky_site(tmp_path / "few", leads=36))

    report = full_audit(few.site, few.catalogue, "sale", state=few.state, data=few.site.folder / "data")

    assert report.columns == ()
    assert "under 10 of either" in report.notes[0]


def test_a_reason_of_the_site_is_shown_and_ends_the_fault(report: Report) -> None:
    """A leak that the site vouches for stays a leak, with the reason as its last evidence, and stops nothing."""
    adviser = column(report, "adviser", "catalogue")

    vouched = replace(report, columns=(replace(adviser, reason="the CRM dates it late"),))

    assert vouched.faults == ()
    (told,) = vouched.to_json()["columns"]
    assert (told["verdict"], told["reason"]) == ("leak", "the CRM dates it late")
    assert told["evidence"][-1] == "allowed by the site: the CRM dates it late"
