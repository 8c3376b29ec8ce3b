"""The worked example of docs/time.md is true: its tables are evaluated as they stand on the page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from features.duck import connect
from features.export import export_rows
from features.facts import Event, LeadFacts, Version
from features.identity import Evidence, Interval, intervals
from features.labels import CONVERTED, MATURE, judge
from features.people import Identities, person
from features.single import evaluate
from leadlight.schema import CHANNEL, LABEL, Micros
from leadlight.settings import Identity, Target
from tests.builders import catalogue, corrected, create_tables, lead, moment, site, spine_table

PAGE = Path(__file__).parents[2] / "docs" / "time.md"
TARGET = {
    "outcome": ["order"],
    "horizon": "3d",
    "outcome_delay": "2d",
    "observe": {"offsets": ["7d"]},
    "gate": {"precision": 0.3, "recall": 0.2},
}
SITE = site(targets={"first_order": TARGET})
RULES = catalogue(
    {"name": "views", "kind": "count", "events": ["page_view"], "windows": ["all", "2d"]},
    {"name": "lessons", "kind": "count", "events": ["lesson"]},
    {"name": "spent", "kind": "sum", "events": ["order"]},
    {"name": "city", "kind": "attribute", "column": "city"},
)

Row = dict[str, str]


def rows_of(name: str) -> list[Row]:
    """The rows of the table that follows this mark on the page, without its note."""
    text = PAGE.read_text(encoding="utf-8").split(f"<!-- {name} -->\n\n")[1].split("\n\n")[0]
    header, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return [dict(zip(header, cells, strict=True)) for cells in lines]


def local(text: str) -> Micros:
    return moment(text, SITE.offset)


@cache
def leads() -> dict[str, LeadFacts]:
    """The leads of the page with their facts as they were recorded."""
    return {row["lead"]: _lead(row) for row in rows_of("facts") if row["fact"] == "created"}


@cache
def identity() -> tuple[Interval, ...]:
    """Who is who, as the contacts of the page say."""
    shown = [row for row in rows_of("facts") if row["fact"] == "phone"]
    evidence = [Evidence(row["lead"], "phone", row["value"], local(row["arrived_at"])) for row in shown]
    created = {lead_id: facts.created_at for lead_id, facts in leads().items()}
    return tuple(intervals(evidence, [], created, Identity()).intervals)


def _lead(created: Row) -> LeadFacts:
    own = [row for row in rows_of("facts") if row["lead"] == created["lead"]]
    versions = [_version(row, created["value"]) for row in own if row["fact"] in {"created", "city"}]
    events = [row for row in own if row["id"]]
    return lead(
        created["lead"],
        created_at=local(created["at"]),
        channel=created["value"],
        versions=tuple(versions),
        events=[event for name in sorted({row["id"] for row in events}) for event in _versions(name, events)],
    )


def _version(row: Row, channel: str) -> Version:
    city = row["value"] if row["fact"] == "city" else None
    return Version(local(row["at"]), local(row["arrived_at"]), {CHANNEL: channel, "city": city, "budget": None})


def _versions(event_id: str, rows: list[Row]) -> list[Event]:
    return corrected(*(_event(row) for row in rows if row["id"] == event_id))


def _event(row: Row) -> Event:
    amount = int(row["value"]) * 1000 if row["value"] else None
    return Event(row["id"], row["fact"], local(row["at"]), local(row["arrived_at"]), amount=amount, labels={})


def test_the_page_has_its_tables() -> None:
    """Nothing below holds because a table was not found."""
    assert [len(rows_of(name)) for name in ("facts", "moments", "labels")] == [11, 14, 6]
    assert [interval.canonical_id for interval in identity() if interval.lead_id == "L2"] == ["L2", "L1"]


@pytest.mark.parametrize("row", rows_of("moments"), ids=lambda row: f"{row['lead']} at {row['as_of']}")
def test_each_moment_sees_what_the_page_says(row: Row) -> None:
    """Both evaluators: every lead through its person in Python, and all of them as tables."""
    as_of = local(row["as_of"])
    expected = None if row["views_all"] == "-" else {column.name: _cell(row[column.name]) for column in RULES.columns}

    people = Identities(identity())
    stands = people.canonical(row["lead"], as_of) == row["lead"] and leads()[row["lead"]].created_at < as_of
    one = evaluate(RULES, SITE, person(row["lead"], leads(), people), as_of).values if stands else None
    connection = connect()
    tables = create_tables(connection, SITE, leads().values(), identity())
    table = export_rows(SITE, RULES, tables, columns=RULES.columns, leads=None, as_of=as_of)
    connection.disconnect()
    many = {found.pop("lead_id"): found for found in table.drop_columns("as_of").to_pylist()}

    assert one == expected
    assert many.get(row["lead"]) == expected


@pytest.mark.parametrize("row", rows_of("labels"), ids=lambda row: f"{row['lead']} at {row['as_of']}")
def test_each_label_is_what_the_page_says(row: Row) -> None:
    """Judged by what is known where the data end."""
    connection = connect()
    tables = create_tables(connection, SITE, leads().values(), identity())
    spine = connection.create_table("spine", spine_table([(row["lead"], local(row["as_of"]))]))
    target: Target = SITE.targets["first_order"]

    (judged,) = judge(target, tables, spine, end=local(row["the data end"])).to_pyarrow().to_pylist()
    connection.disconnect()

    assert row["the row is"] == _verdict(judged)


def _verdict(judged: dict[str, object]) -> str:
    if judged[CONVERTED]:
        return "converted"
    if not judged[MATURE]:
        return "not mature"
    return "positive" if judged[LABEL] else "negative"


def _cell(text: str) -> int | str | None:
    return None if text == "-" else int(text) if text.isdigit() else text
