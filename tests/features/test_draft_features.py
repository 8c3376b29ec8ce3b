"""Which features, ages and delays `leadlight init` drafts from what events hold, and what it leaves out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from features.catalogue import Catalogue, load_catalogue
from features.draft import draft_site
from leadlight.schema import DAY
from leadlight.settings import Site, load_site

LEADS = 60
PAGES = 11
KINDS = 30


def write(folder: Path, name: str, header: str, lines: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Leads that visit pages on the day they come, get calls two days later and pay in the second week."""
    folder = tmp_path / "data"
    leads = [f"L{n},2025-01-{n % 28 + 1:02} 08:00:00,{('ads', 'seo')[n % 2]}" for n in range(LEADS)]
    write(folder, "leads", "lead_id,created,source", leads)
    visits = [
        f"v{n},L{n % LEADS},2025-01-{n % LEADS % 28 + 1:02} 09:{n % 50:02}:00,p{n % PAGES},"
        f"{n % 97},{n % 7},{('ios', 'android', 'pc')[n % LEADS % 3]}"
        for n in range(6 * LEADS)
    ]
    write(folder, "visits", "visit_no,lead_id,at,page,seconds,depth,platform", visits)
    calls = [f"c{n},L{n % LEADS},2025-02-0{n % 9 + 1} 10:00:00,{n % 31}" for n in range(2 * LEADS)]
    write(folder, "calls", "call_no,lead_id,at,duration", calls)
    orders = [
        f"o{n},L{n},2025-02-{n % 9 + 10} 10:00:00,99.5,2025-02-{n % 9 + 10 + 2 * (n % 2)} 11:00:00" for n in range(30)
    ]
    write(folder, "orders", "order_no,lead_id,paid_at,amount,arrived_at", orders)
    return folder


def drafted(tmp_path: Path, data: Path) -> tuple[Site, Catalogue]:
    draft_site(tmp_path / "shop", data)
    site = load_site(tmp_path / "shop")
    return site, load_catalogue(site)


def written(tmp_path: Path) -> str:
    return (tmp_path / "shop" / "catalogue.toml").read_text(encoding="utf-8")


def test_numbers_are_measures_and_no_labels(tmp_path: Path, data: Path) -> None:
    """Each further number of an event is a kind of its own with a total and a largest one, and no text."""
    site, catalogue = drafted(tmp_path, data)

    sql = (tmp_path / "shop" / "sources" / "events.sql").read_text(encoding="utf-8").replace("{data}", str(data))
    with duckdb.connect() as connection:
        query = f"SELECT kind, count(*), sum(amount) FROM ({sql}) GROUP BY kind ORDER BY kind"
        found = {kind: (events, total) for kind, events, total in connection.execute(query).fetchall()}
    entries = {entry.name: entry.kind for entry in catalogue.feature}
    assert site.kinds["visits"].labels == ("page", "platform")
    assert found["visits"] == (6 * LEADS, 1000 * sum(n % 97 for n in range(6 * LEADS)))
    assert found["visits_depth"] == (6 * LEADS, 1000 * sum(n % 7 for n in range(6 * LEADS)))
    assert {name: kind for name, kind in entries.items() if name.startswith("visits_depth")} == {
        "visits_depth_sum": "sum",
        "visits_depth_max": "max",
    }
    assert [entries[f"visits_{each}"] for each in ("sum", "max", "last_amount")] == ["sum", "max", "last_value"]


def test_each_of_a_dozen_values_is_counted(tmp_path: Path, data: Path) -> None:
    """Values of a label that has up to a dozen are counted in a week and in all, the commonest with their recency."""
    _, catalogue = drafted(tmp_path, data)

    names = {column.name for column in catalogue.lead_columns}

    assert {f"visits_page_p{n}_{window}" for n in range(PAGES) for window in ("7d", "all")} <= names
    assert sum(name.startswith("visits_page_p") and name.endswith("_last") for name in names) == 3


def test_a_label_that_is_a_word_about_the_lead_is_taken_once(tmp_path: Path, data: Path) -> None:
    """What every event of a lead repeats is one column, with a comment, and nothing is counted by it."""
    _, catalogue = drafted(tmp_path, data)

    entries = [entry.name for entry in catalogue.feature if "platform" in entry.name]

    assert entries == ["platform_said"]
    assert "# left out: platform of visits, event by event: all events of a lead say the same" in written(tmp_path)


def test_several_kinds_are_counted_together(tmp_path: Path, data: Path) -> None:
    """What a lead does at all is drafted over all kinds but outcomes and measures."""
    _, catalogue = drafted(tmp_path, data)

    together = {entry.kind: entry.model_dump()["events"] for entry in catalogue.feature if "activity" in entry.name}

    assert set(together) == {"count", "active_days", "last_age", "first_age"}
    assert set(map(frozenset, together.values())) == {frozenset({"visits", "calls"})}


def test_no_window_is_longer_than_what_is_seen(tmp_path: Path, data: Path) -> None:
    """Windows as long as the oldest age would repeat the whole past, unless leads act before they are created."""
    _, catalogue = drafted(tmp_path, data)
    windows = {column.window_text for column in catalogue.lead_columns}
    lines = (data / "visits.csv").read_text(encoding="utf-8").replace("2025-01-", "2024-12-")
    (data / "visits.csv").write_text(lines, encoding="utf-8")

    draft_site(tmp_path / "early", data)

    early = load_catalogue(load_site(tmp_path / "early"))
    assert "30d" not in windows
    assert {"1d", "3d", "7d", "all"} <= windows
    assert "30d" in {column.window_text for column in early.lead_columns}


def test_outcomes_are_awaited_as_long_as_they_take_to_arrive(tmp_path: Path, data: Path) -> None:
    """The delay of nearly all outcomes is drafted from the column that says when each arrived."""
    site, _ = drafted(tmp_path, data)

    settings = (tmp_path / "shop" / "leadlight.toml").read_text(encoding="utf-8")
    assert site.target()[1].outcome_delay == 3 * DAY
    assert settings.count("# delay = ") == 3  # visits, their depth and calls: no column says when they arrive


def test_leads_are_looked_at_at_several_ages(tmp_path: Path, data: Path) -> None:
    """A dated site learns from leads of every age up to its horizon, with the age itself among the features."""
    site, catalogue = drafted(tmp_path, data)

    target = site.target()[1]

    assert target.horizon == 60 * DAY
    assert target.observe.offsets == tuple(days * DAY for days in (1, 3, 7, 14, 30))
    assert "lead_age" in {column.name for column in catalogue.lead_columns}


def test_a_draft_keeps_to_its_budget(tmp_path: Path, data: Path) -> None:
    """Many kinds of event do not make hundreds of columns: what few leads do goes first, and a comment says so."""
    lines = [
        f"x{n},L{n % 2 if n % KINDS else n % LEADS},2025-01-{n % 28 + 1:02} 09:00:00,act{n % KINDS}"
        for n in range(3000)
    ]
    write(data, "acts", "act_no,lead_id,at,event_type", lines)

    _, catalogue = drafted(tmp_path, data)

    assert len([*catalogue.columns]) <= 150
    assert "left out, so as not to be more than 150 columns" in written(tmp_path)
    assert {"visits_all", "visits_sum_all", "act0_all"} <= {column.name for column in catalogue.lead_columns}


@pytest.mark.parametrize(("growth", "kept"), [(0, True), (1, False)])
def test_counts_of_everybody_are_for_steady_times(tmp_path: Path, data: Path, growth: int, *, kept: bool) -> None:
    """Where ever more leads come, the numbers of new and won leads stand in the draft as a comment only."""
    start = dt.date(2024, 1, 1)
    days = [start + dt.timedelta(days=7 * week + n) for week in range(20) for n in range(3 + growth * week // 4)]
    leads = [f"L{n},{day} 08:00:00,{('ads', 'seo')[n % 2]}" for n, day in enumerate(days)]
    write(data, "leads", "lead_id,created,source", leads)

    _, catalogue = drafted(tmp_path, data)

    assert {entry.name for entry in catalogue.feature if entry.kind == "context"} == (
        {"new_leads", "won_leads"} if kept else set()
    )
    assert ('# name = "new_leads"' in written(tmp_path)) != kept


def test_further_numbers_of_what_counts_as_success_are_left_out(tmp_path: Path) -> None:
    """A log of views and purchases with several numbers on each: no row is without a kind."""
    folder = tmp_path / "data"
    write(folder, "leads", "lead_id,created", [f"L{n},2025-01-{n % 28 + 1:02} 08:00:00" for n in range(LEADS)])
    lines = [
        f"e{n},L{n % LEADS},2025-02-{n % 28 + 1:02} 09:{n % 50:02}:00,"
        f"{'purchase' if n % 5 == 0 and n % LEADS < 30 else 'view'},{n % 90 + 1},{n % 97},{n % 41}"
        for n in range(6 * LEADS)
    ]
    write(folder, "events", "event_no,lead_id,at,event_type,price,seconds,pages", lines)

    site, _ = drafted(tmp_path, folder)

    sql = (site.folder / "sources" / "events.sql").read_text(encoding="utf-8").replace("{data}", str(folder))
    with duckdb.connect() as connection:
        kinds = connection.execute(f"SELECT DISTINCT kind FROM ({sql})").fetchall()
    assert site.target()[1].outcome == ("purchase",)
    assert {kind for (kind,) in kinds} == {"purchase", "view", "view_seconds", "view_pages"}
