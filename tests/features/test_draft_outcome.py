"""What `leadlight init` takes for success, what it keeps out of the features for knowing it, and who the leads are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from features.draft import draft_site
from features.draft.outcomes import strength
from leadlight.settings import SiteError, load_site


def folder(tmp_path: Path, **files: Iterable[str]) -> Path:
    """A data folder with these CSV files, by name and lines."""
    made = tmp_path / "data"
    made.mkdir(exist_ok=True)
    for name, lines in files.items():
        (made / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def rows(site: Path, source: str, data: Path, columns: str) -> list[tuple[object, ...]]:
    sql = (site / "sources" / f"{source}.sql").read_text(encoding="utf-8").replace("{data}", str(data))
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {columns} FROM (\n{sql}\n) ORDER BY ALL").fetchall()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "shop"


def crm(tmp_path: Path) -> Path:
    """Leads of which a quarter convert, in several columns; deals with final states and when they came to them."""
    leads = ["lead_id,created_at,source,stage_now,converted_in_90_days,conversion_timestamp,visits_total"]
    deals = ["deal_id,lead_id,created_at,stage,closed_at"]
    calls = ["call_id,lead_id,called_at,activity_type"]
    for n in range(120):
        won, lost, day = n % 4 == 0, n % 4 == 1, n % 27 + 1
        closed = f"2025-03-{day:02}" if won or lost else ""
        leads.append(
            f"L{n},2025-01-{day:02},ads,{'p' if n % 3 else 'q'},{'True' if won else 'False'},"
            f"{closed if won else ''},{n % 7}"
        )
        stage = "closed_won" if won else "closed_lost" if lost else "negotiation"
        deals.append(f"D{n},L{n},2025-02-{day:02},{stage},{closed}")
        calls += [f"C{n}a,L{n},2025-01-{day:02},call", f"C{n}b,L{n},2025-01-{day:02},demo"]
    return folder(tmp_path, leads=leads, deals=deals, sales_activities=calls)


def test_a_dated_word_of_conversion_is_the_outcome(tmp_path: Path, site: Path) -> None:
    """Of many columns and files that are called like success the dated conversion is taken, and the others are told."""
    draft = draft_site(site, crm(tmp_path))

    assert load_site(site).target()[1].outcome == ("converted",)
    assert draft.outcome[0] == "outcome: conversion_timestamp of leads (25.0% of the leads)"
    assert "converted_in_90_days=true of leads (25.0% of the leads, undated)" in draft.outcome[1]
    assert "call" not in draft.outcome[1]
    assert "--outcome WHAT" in draft.outcome[2]
    assert "-- outcome: conversion_timestamp" in (site / "sources" / "events.sql").read_text(encoding="utf-8")


def test_a_later_release_of_the_same_facts_counts_too(tmp_path: Path, site: Path) -> None:
    """Of two files called like success with the same key and moment either is an outcome, and neither a feature."""
    leads = ["lead_id,created_at", *(f"L{n},2025-01-{n % 27 + 1:02}" for n in range(60))]
    first = ["order_id,lead_id,ordered_at", *(f"O{n},L{n},2025-02-{n % 27 + 1:02}" for n in range(0, 60, 6))]
    later = ["order_id,lead_id,ordered_at", *(f"O{n},L{n},2025-02-{n % 27 + 1:02}" for n in range(0, 60, 3))]
    data = folder(tmp_path, leads=leads, orders=first, later_orders=later)

    draft_site(site, data)

    assert set(load_site(site).target()[1].outcome) == {"orders", "later_orders"}
    features = (site / "catalogue.toml").read_text(encoding="utf-8")
    assert 'kind = "count"\nevents = ["later_orders"]' not in features


def test_what_restates_the_outcome_is_no_attribute(tmp_path: Path, site: Path) -> None:
    """A column whose values go with the outcome in the raw rows is left out with the reason; a total is doubted."""
    draft = draft_site(site, crm(tmp_path))

    assert draft.left_out["converted_in_90_days"].startswith("says the outcome again: 'true' stand for hardly any but")
    leads = (site / "sources" / "leads.sql").read_text(encoding="utf-8")
    assert "AS converted_in_90_days" not in leads
    assert '"visits_total" AS visits_total,  -- CHECK' in leads


def test_a_final_state_counts_from_when_it_was_reached(tmp_path: Path, site: Path) -> None:
    """A stage in a row with a closing date is an event of that date; the row's creation does not know it."""
    data = crm(tmp_path)

    draft_site(site, data)

    found = rows(site, "events", data, 'kind, "at"::DATE::VARCHAR AS day, stage, lead_id')
    assert ("deals", "2025-02-01", None, "L0") in found
    assert ("deals_closed", "2025-03-01", "closed_won", "L0") in found
    assert {stage for kind, _, stage, _ in found if kind == "deals"} == {None}
    assert not [stage for kind, _, stage, _ in found if kind == "deals_closed" and stage == "negotiation"]


@pytest.mark.parametrize(
    ("asked", "won", "outcome"),
    [
        ("stage=closed_won", 30, ("converted",)),
        ("Stage=closed_lost", 30, ("converted",)),
        ("demo", 120, ("demo",)),
        ("deals_closed", 60, ("deals_closed",)),
        ("visits_total", 102, ("converted",)),
        ("converted_in_90_days", 30, ("converted",)),
    ],
)
def test_the_outcome_can_be_named(tmp_path: Path, site: Path, asked: str, won: int, outcome: tuple[str, ...]) -> None:
    """A column with a value, a number above zero, yes or no, or a kind of event becomes the outcome on demand."""
    data = crm(tmp_path)

    draft_site(site, data, outcome=asked)

    assert load_site(site).target()[1].outcome == outcome
    found = rows(site, "events", data, "DISTINCT lead_id, kind")
    assert len([kind for _, kind in found if kind in outcome]) == won


@pytest.mark.parametrize("asked", ["nothing", "stage=nothing", "deals.stage", "stage_now"])
def test_an_outcome_that_is_not_there_is_a_fault_with_choices(tmp_path: Path, site: Path, asked: str) -> None:
    """The fault lists what can be named, and nothing is written."""
    with pytest.raises(SiteError, match=f"--outcome {asked}: .*to choose from: conversion_timestamp; .*demo"):
        draft_site(site, crm(tmp_path), outcome=asked)

    assert not site.exists()


def test_nearly_everybody_and_errors_are_no_outcome(tmp_path: Path, site: Path) -> None:
    """Of a log alone the users are the leads; the purchase is the outcome, not its details, nor its error."""
    lines = ["user_id,event,at,platform"]
    for n in range(60):
        kinds = ["view", "payment_details", *(["purchase"] if n % 3 == 0 else ["payment_error"])]
        lines += [f"u{n},{kind},2025-01-{n % 27 + 1:02} 10:0{k}:00,{'ab'[n % 2]}" for k, kind in enumerate(kinds)]
    data = folder(tmp_path, log=[*lines, lines[1]])

    draft = draft_site(site, data)

    assert load_site(site).target()[1].outcome == ("purchase",)
    assert draft.outcome[0] == "outcome: purchase of log (33.3% of the leads)"
    assert rows(site, "leads", data, "lead_id, created_at::VARCHAR, platform")[0] == ("u0", "2025-01-01 10:00:00", "a")
    assert len(rows(site, "leads", data, "lead_id")) == 60
    assert len(rows(site, "events", data, "event_id")) == 180
    assert "1 rows are there twice" in (site / "sources" / "events.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("closedWon", 2),
        ("purchase", 2),
        ("已支付", 2),
        ("payment_details", 1),
        ("response", 1),
        ("orderset", 0),
        ("payment_error", 0),
        ("未成交", 0),
        ("refund", 0),
    ],
)
def test_words_of_success(text: str, level: int) -> None:
    """Conversion counts more than a step on the way to it or a mere answer; failure is none."""
    assert strength(text) == level


@pytest.mark.parametrize(("number", "step"), [(400, "to_days"), (10_000, "to_hours")])
def test_a_made_up_time_ends_in_the_past(tmp_path: Path, site: Path, number: int, step: str) -> None:
    """A list without dates or keys, doubled rows and all, is a lead a row, in steps that keep its end before 2020."""
    data = folder(
        tmp_path, list=["respond,gift,age", *(f"{n % 4 == 0:d},{10 * (n % 4 == 0)},30" for n in range(number))]
    )

    draft = draft_site(site, data)

    found = rows(site, "leads", data, "created_at::VARCHAR, lead_id::INT")
    assert len(found) == len({moment for moment, _ in found}) == number
    assert str(found[-1][0]) < "2020"
    assert step in (site / "sources" / "leads.sql").read_text(encoding="utf-8")
    assert draft.outcome[0].startswith("outcome: respond=1 of list (25.0% of the leads, undated)")
    assert "gift" in draft.left_out
    assert "list" not in draft.left_out


def test_a_list_with_a_number_of_people_says_so(tmp_path: Path, site: Path) -> None:
    """Numbers that name something are no features by default, and repeated ones are told with what to do."""
    lines = [f"{n % 80 + 1},{'positive' if n % 5 == 0 else 'negative'},smith{n % 9},{n % 6}" for n in range(200)]
    data = folder(tmp_path, tests=["subject_id,result,last_name,size", *lines])

    draft = draft_site(site, data)

    leads = (site / "sources" / "leads.sql").read_text(encoding="utf-8")
    assert draft.left_out["subject_id"].startswith("CHECK: a number that names something")
    assert "last_name" not in draft.left_out
    assert '--   "subject_id" AS subject_id' in leads
    assert "200 rows have 80 values of subject_id" in leads
    assert 'PARTITION BY "subject_id"' in leads
    assert draft.outcome[0].startswith("outcome: result=positive of tests (20.0%")
