"""The site's SQL over its data."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.sources import read_sources
from leadlight.schema import HOUR, MINUTE
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


@pytest.mark.parametrize(
    ("offset", "local"),
    [("+08:00", "2025-03-01 10:00:00"), ("-05:00", "2025-02-28 21:00:00"), ("+05:30", "2025-03-01 07:30:00")],
)
def test_the_session_is_at_the_sites_offset_on_any_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: str, local: str
) -> None:
    """A moment with a zone becomes local time of the site, whatever the machine's time zone."""
    monkeypatch.setenv("TZ", "America/New_York")
    site, _ = school(tmp_path, leads_sql="SELECT TIMESTAMPTZ '2025-03-01 10:00:00+08'::TIMESTAMP::VARCHAR AS local")
    site = site.model_copy(update={"site": site.site.model_copy(update={"utc_offset": _micros(offset)})})

    assert read_sources(site, tmp_path).leads.to_pyarrow().to_pydict() == {"local": [local]}


def test_moments_with_and_without_a_zone_mean_the_same_in_one_column(tmp_path: Path) -> None:
    """A log in UTC beside local times: laid into one column, neither moves."""
    both = "SELECT make_timestamptz(1740794400000000) AS \"at\" UNION ALL SELECT TIMESTAMP '2025-03-01 10:00:00'"

    raw, _, _ = school_raw(tmp_path, leads_sql=both)

    moments = raw.leads.to_pyarrow().column("at").to_pylist()
    assert [moment.isoformat() for moment in moments] == ["2025-03-01T02:00:00+00:00"] * 2


def test_gb18030_files_are_read_as_they_are(tmp_path: Path) -> None:
    """A spreadsheet of China needs no conversion, and a fault names the real folder."""
    data = tmp_path / "raw"
    data.mkdir()
    site, _ = school(tmp_path, leads_sql="SELECT \"城市\" AS city FROM read_csv('{data}/线索.csv')")
    (data / "线索.csv").write_text("编号,城市\n1,上海\n2,北京\n", encoding="gb18030")

    assert read_sources(site, data).leads.order_by("city").to_pyarrow().to_pydict() == {"city": ["上海", "北京"]}

    (site.folder / "sources" / "leads.sql").write_text("FROM read_csv('{data}/线索.csv', encoding = 'gbk')", "utf-8")
    with pytest.raises(SiteError, match="leave `encoding` out"):
        read_sources(site, data)
    (site.folder / "sources" / "leads.sql").write_text("FROM read_csv('{data}/none.csv')", "utf-8")
    with pytest.raises(SiteError, match=str(data / "none.csv")):
        read_sources(site, data)


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


def _micros(offset: str) -> int:
    hours, minutes = offset[1:].split(":")
    return (int(hours) * HOUR + int(minutes) * MINUTE) * (-1 if offset[0] == "-" else 1)
