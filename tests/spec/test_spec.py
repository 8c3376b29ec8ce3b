"""What every kind of feature means, as small tables: each is read by both evaluators.

A table names its features as ``catalogue.toml`` does, and the moment it is read at. Times are local (+08:00), amounts
in units; an event without arrival arrives when it happens; rows with one ``event_id`` are versions of one event, and
``times`` repeats a row. An expected ``-`` is a missing value, or never.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from features.catalogue import Catalogue
from features.history import Event, LeadFacts, Value, Version
from features.single import Row, evaluate
from leadlight.schema import FOREVER, VALID_UNTIL, Micros
from tests.builders import RelationalRows, catalogue, corrected, exact, lead, moment, site

SITE = site()
FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.rglob("*.toml"))
EDGES = [
    "no event",
    "one event",
    "an event exactly at as_of does not count",
    "an event after as_of does not count",
    "an event that happened before and arrived after does not count",
]
BY_EVENTS = ["count", "sum", "max", "distinct", "first_age", "last_age", "first_value", "last_value", "top"]
BY_EVENTS += ["active_days", "share", "level"]

Table = dict[str, Any]


def read_file(path: Path) -> Table:
    """The tables of one specification."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


EXAMPLES = [
    pytest.param(path, example, id=f"{path.stem}: {example['says']}")
    for path in FILES
    for example in read_file(path)["example"]
]


@pytest.mark.parametrize(("path", "example"), EXAMPLES)
def test_both_evaluators_read_what_the_table_expects(path: Path, example: Table) -> None:
    """Every column of the example has the expected value and type, by either evaluator."""
    rules = catalogue(*read_file(path)["feature"])
    facts, as_of = told({**read_file(path), **example})

    one = evaluate(rules, SITE, facts, as_of)
    many = relational_rows(path).read([facts], [(facts.lead_id, as_of)])[facts.lead_id, as_of]

    expected = expected_row(example["expect"], one)
    assert exact(one) == exact(expected)
    assert exact(many) == exact(expected)


@pytest.mark.parametrize("kind", BY_EVENTS)
def test_every_kind_of_feature_is_specified_at_its_edges(kind: str) -> None:
    """The table of each kind that reads events begins with the five edges of known time."""
    table = read_file(FOLDER / f"{kind}.toml")

    assert kind in {feature["kind"] for feature in table["feature"]}
    assert [example["says"] for example in table["example"][:5]] == EDGES


def test_no_kind_of_feature_goes_without_a_table() -> None:
    """Whatever kind the catalogue admits for a lead has a table of its own name."""
    schema = Catalogue.model_json_schema()["$defs"].values()
    kinds = {kind for entry in schema for kind in _kinds(entry.get("properties", {}).get("kind", {}))}

    assert kinds - {"context"} == {*BY_EVENTS, "attribute", "age"}
    assert kinds - {"context"} <= {path.stem for path in FILES}


@cache
def relational_rows(path: Path) -> RelationalRows:
    """The relational evaluator of one specification."""
    return RelationalRows(catalogue(*read_file(path)["feature"]), SITE)


def told(example: Table) -> tuple[LeadFacts, Micros]:
    """The lead of an example, and the moment it is read at."""
    as_of = local(example["as_of"])
    created_at = local(example.get("created_at", "2024-02-01 12:00"))
    versions = tuple(_version(row) for row in rows_of(example.get("versions", "")))
    return lead(created_at=created_at, versions=versions, events=_events(example.get("events", ""))), as_of


def expected_row(expect: dict[str, Any], read: Row) -> Row:
    """The expected row; where the example does not speak of ``valid_until``, whatever was ``read``."""
    until = read.valid_until
    if VALID_UNTIL in expect:
        until = FOREVER if expect[VALID_UNTIL] == "-" else local(expect[VALID_UNTIL])
    values: dict[str, Value] = {name: None if v == "-" else v for name, v in expect.items() if name != VALID_UNTIL}
    return Row(values, until)


def rows_of(table: str) -> list[dict[str, str]]:
    """The rows of a text table, by the names in its first line; empty cells are left out."""
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [{name: cell for name, cell in zip(lines[0], row, strict=True) if cell} for row in lines[1:]]


def local(text: str) -> Micros:
    """The moment of a date and time at the site."""
    return moment(text, SITE.offset)


def _events(table: str) -> Iterable[Event]:
    rows = [row for row in rows_of(table) for _ in range(int(row.pop("times", "1")))]
    events = [_event(row, f"{number:03}") for number, row in enumerate(rows)]
    by_id = groupby(sorted(events, key=lambda each: each.event_id), key=lambda each: each.event_id)
    return [version for _, versions in by_id for version in corrected(*versions)]


def _event(row: dict[str, str], event_id: str) -> Event:
    return Event(
        event_id=row.get("event_id", event_id),
        kind=row["kind"],
        at=local(row["at"]),
        arrived_at=local(row.get("arrived_at", row["at"])),
        amount=round(float(row["amount"]) * 1000) if "amount" in row else None,
        labels={label: row.get(label) for label in SITE.labels},
    )


def _version(row: dict[str, str]) -> Version:
    budget = float(row["budget"]) if "budget" in row else None
    values: dict[str, Value] = {"channel": "sem", "city": row.get("city"), "budget": budget}
    return Version(local(row["at"]), local(row.get("arrived_at", row["at"])), values)


def _kinds(kind: Table) -> list[str]:
    return [*kind.get("enum", []), *([kind["const"]] if "const" in kind else [])]
