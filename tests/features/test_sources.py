"""The site's SQL over its data."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.sources import read_sources
from leadlight.settings import SiteError
from tests.features.raw_builders import EVENT, LEAD, events, leads, school, school_raw


def test_both_queries_run_over_the_data_folder(tmp_path: Path) -> None:
    """{data} stands for the folder of the raw files, whatever its name; comments and a semicolon do no harm."""
    site, _ = school(tmp_path, leads_sql="-- all\nSELECT * FROM read_csv('{data}/leads.csv'); -- done\n")
    data = tmp_path / "the school's data"
    data.mkdir()
    (data / "leads.csv").write_text("lead_id,channel\nL1,sem\nL2,app\n", encoding="utf-8")

    raw = read_sources(site, data)

    assert raw.leads.order_by("lead_id").to_pyarrow().to_pydict() == {
        "lead_id": ["L1", "L2"],
        "channel": ["sem", "app"],
    }
    assert raw.events.count().to_pyarrow().as_py() == 1


def test_the_session_is_in_utc_on_any_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's time zone does not change what a query of moments returns."""
    monkeypatch.setenv("TZ", "America/New_York")
    zoned = "SELECT TIMESTAMPTZ '2025-03-01 10:00:00+08'::TIMESTAMP::VARCHAR AS local"

    raw, _, _ = school_raw(tmp_path, leads_sql=zoned)

    assert raw.leads.to_pyarrow().to_pydict() == {"local": ["2025-03-01 02:00:00"]}


def test_faults_of_both_files_come_at_once(tmp_path: Path) -> None:
    """Each file that DuckDB refuses is named with DuckDB's own words."""
    site, _ = school(tmp_path, leads_sql="SELECT lead_it FROM nowhere", events_sql="SELECT 'x'::TIMESTAMP AS at")

    with pytest.raises(SiteError) as caught:
        read_sources(site, tmp_path / "data")

    first, second = caught.value.faults
    assert first.startswith("sources/leads.sql: DuckDB refused it:")
    assert "nowhere does not exist" in first
    assert second.startswith("sources/events.sql: DuckDB refused it:")
    assert "invalid timestamp" in second


def test_a_query_that_returns_nothing_is_a_fault(tmp_path: Path) -> None:
    """A file must end in a SELECT."""
    site, _ = school(tmp_path, leads_sql="CREATE TABLE mine AS SELECT 1")

    with pytest.raises(SiteError, match=r"sources/leads.sql: .* must be a SELECT"):
        read_sources(site, tmp_path / "data")


def test_a_missing_file_or_folder_is_a_fault(tmp_path: Path) -> None:
    """What is not there is named."""
    site, _ = school(tmp_path, leads_sql=leads(LEAD), events_sql=events(EVENT))
    (tmp_path / "sources" / "events.sql").unlink()

    with pytest.raises(SiteError, match=r"sources/events.sql: no such file"):
        read_sources(site, tmp_path / "data")
    with pytest.raises(SiteError, match=r"nowhere: no such folder"):
        read_sources(site, tmp_path / "nowhere")
