"""The three example sites: their files are well formed, and their SQL reads the raw files as they are."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from features.catalogue import load_catalogue
from features.sources import read_sources
from leadlight.sample import draw
from leadlight.schema import DAY, NOT_RECORDED
from leadlight.settings import Site, load_site

EXAMPLES = Path(__file__).parents[2] / "examples"
SITES = ("demo", "learning_platform", "x_education")
LEAKS = ("tags", "lead_quality", "lead_profile", "asymmetrique", "last_activity", "last_notable_activity")


def _site(name: str) -> Site:
    return load_site(EXAMPLES / name)


def _raw(name: str, data: Path) -> duckdb.DuckDBPyConnection:
    """A connection in which `raw_leads` and `raw_events` are the site's tables."""
    connection: duckdb.DuckDBPyConnection = read_sources(_site(name), data).connection.con
    return connection


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[object, ...]:
    return connection.sql(query).fetchall()[0]


@pytest.fixture(scope="module")
def platform(real_data: Path) -> duckdb.DuckDBPyConnection:
    return _raw("learning_platform", real_data / "learning_platform")


@pytest.fixture(scope="module")
def export(real_data: Path) -> duckdb.DuckDBPyConnection:
    return _raw("x_education", real_data / "x_education")


@pytest.mark.parametrize("name", SITES)
def test_every_site_says_each_feature_in_both_languages(name: str) -> None:
    """Settings and catalogue load, and no wording is empty or twice the same."""
    columns = load_catalogue(_site(name)).columns

    for language in ("zh", "en"):
        words = [column.wording(language) for column in columns]
        assert all(words)
        assert len(set(words)) == len(words)


def test_the_demo_maps_every_name_of_the_made_files(tmp_path: Path) -> None:
    """No channel, action or status of the made data is unknown to the demo's SQL and settings; complaints come live."""
    draw(tmp_path, leads=2000, seed=3)
    site = _site("demo")

    made = _raw("demo", tmp_path)

    assert {channel for (channel,) in made.sql("SELECT DISTINCT channel FROM raw_leads").fetchall()} == {*site.channels}
    kinds = {kind for (kind,) in made.sql("SELECT DISTINCT kind FROM raw_events").fetchall()}
    assert {*site.kinds} - kinds == {"complaint", "complaint_settled"}
    assert kinds <= {*site.kinds}
    assert _row(made, "SELECT count(*) FROM raw_events WHERE kind = 'follow_up' AND status IS NULL") == (0,)


def test_the_demo_says_that_it_is_made() -> None:
    """The site is marked as made data, and its title says so in both languages."""
    site = _site("demo").site

    assert site.made
    assert "made data" in site.title.en
    assert "虚构" in site.title.zh


def test_the_platform_has_the_purchases_of_both_releases(platform: duckdb.DuckDBPyConnection) -> None:
    """2,812 of the 35,230 students bought, more than either release knows of; no channel is recorded."""
    leads = _row(platform, "SELECT count(*), count(DISTINCT lead_id), any_value(channel) FROM raw_leads")
    buyers = _row(platform, "SELECT count(DISTINCT lead_id) FROM raw_events WHERE kind = 'purchase'")

    assert leads == (35_230, 35_230, NOT_RECORDED)
    assert buyers == (2_812,)


def test_the_platform_has_one_event_per_fact(platform: duckdb.DuckDBPyConnection) -> None:
    """Every event_id is unique, and every fact stands at the last microsecond of its day."""
    counts = _row(
        platform,
        """SELECT count(*) - count(DISTINCT event_id), count(*) FILTER ("at" + INTERVAL 1 MICROSECOND <> "at"::DATE + 1)
        FROM raw_events""",
    )

    assert counts == (0, 0)


@pytest.mark.parametrize(("name", "days", "rows", "buyers"), [("week_one", 7, 10_373, 77), ("day_0", 1, 11_396, 247)])
def test_the_platform_splits_by_registration(
    platform: duckdb.DuckDBPyConnection, name: str, days: int, rows: int, buyers: int
) -> None:
    """The test dates, asked of first purchases by plain SQL, give the published number of rows and buyers."""
    target = _site("learning_platform").target(name)[1]

    counted = _row(
        platform,
        f"""WITH leads AS (
            SELECT created_at + to_days({days}) AS as_of, bought
            FROM raw_leads LEFT JOIN ({FIRST_PURCHASES}) USING (lead_id)
        )
        SELECT count(*), count(*) FILTER (bought < as_of + INTERVAL 30 DAY) FROM leads
        WHERE as_of >= '{target.split.test_from}' AND (bought IS NULL OR bought >= as_of)""",
    )

    assert target.observe.offsets == (days * DAY,)
    assert counted == (rows, buyers)


def test_the_panel_asks_every_monday(platform: duckdb.DuckDBPyConnection) -> None:
    """Leads of the 60 days before a Monday that had not bought: 92,971 test rows, 359 of which bought."""
    target = _site("learning_platform").target("panel")[1]
    first, last = target.split.test_from, target.observe.last

    counted = _row(
        platform,
        f"""WITH mondays AS (
            SELECT unnest(generate_series(DATE '{first}', DATE '{last}', INTERVAL 7 DAY)) AS as_of
        )
        SELECT count(*), count(*) FILTER (bought < as_of + INTERVAL 30 DAY)
        FROM raw_leads LEFT JOIN ({FIRST_PURCHASES}) USING (lead_id), mondays
        WHERE created_at < as_of AND created_at >= as_of - INTERVAL 60 DAY AND (bought IS NULL OR bought >= as_of)""",
    )

    assert target.observe.until == 60 * DAY
    assert counted == (92_971, 359)


def test_the_export_is_one_lead_a_day(export: duckdb.DuckDBPyConnection) -> None:
    """9,240 leads in the order of their numbers, 3,561 of which converted within their made-up hour."""
    leads = _row(export, "SELECT count(*), count(DISTINCT created_at), min(created_at)::DATE::VARCHAR FROM raw_leads")
    out_of_order = _row(
        export,
        """SELECT count(*) FROM (
            SELECT lead_id::INTEGER - lag(lead_id::INTEGER) OVER (ORDER BY created_at) AS step FROM raw_leads
        ) WHERE step <= 0""",
    )
    converted = _row(
        export,
        """SELECT count(*), min(lag) > INTERVAL 1 MICROSECOND, max(lag) < INTERVAL 1 HOUR
        FROM (SELECT e."at" - created_at AS lag FROM raw_events AS e JOIN raw_leads USING (lead_id))""",
    )

    assert leads == (9_240, 9_240, "2000-01-01")
    assert out_of_order == (0,)
    assert converted == (3_561, True, True)


def test_the_export_gives_no_column_that_knows_the_outcome(export: duckdb.DuckDBPyConnection) -> None:
    """What sales fill in after contact is left out, and `Select` is missing wherever it stood."""
    columns = [name for name, *_ in export.sql("DESCRIBE raw_leads").fetchall()]
    selected = [
        name
        for name in columns
        if _row(export, f"SELECT count(*) FROM raw_leads WHERE {name}::VARCHAR = 'Select'") != (0,)
    ]

    assert not [name for name in columns if name.startswith(LEAKS)]
    assert selected == []


def test_the_export_locks_who_asked_not_to_be_contacted(export: duckdb.DuckDBPyConnection) -> None:
    """734 leads asked for no e-mail and 2 for no calls; a column of 2 is no feature."""
    site = _site("x_education")

    locked = {
        name: _row(export, f"SELECT count(*) FROM raw_leads WHERE {rule.attribute} IN ('{rule.values[0]}')")
        for name, rule in site.locks.items()
    }

    assert locked == {"do_not_email": (734,), "do_not_call": (2,)}
    assert "do_not_call" not in {column.name for column in load_catalogue(site).columns}


FIRST_PURCHASES = """SELECT lead_id, min("at") AS bought FROM raw_events WHERE kind = 'purchase' GROUP BY lead_id"""
