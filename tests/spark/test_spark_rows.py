"""Spark computes what DuckDB computes: every kind of feature, bit for bit, missing for missing."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings

from features import relational
from features.catalogue import Catalogue
from features.facts import LeadFacts, Value
from features.single import Row, evaluator
from features.spark.rows import evaluator as on_spark
from features.spark.session import Spark
from leadlight.schema import AS_OF, DAY, HOUR, LEAD_ID, VALID_UNTIL, Micros
from tests.builders import catalogue, event, exact, lead, site, site_at
from tests.features.histories import EVERYTHING, SELDOM, START, Moments, histories
from tests.spark.spark_builders import past_of
from tests.spec.test_spec import FILES, SITE, expected_row, read_file, told

Cells = dict[tuple[str, Micros], dict[str, tuple[str, Value]]]


@pytest.mark.parametrize(
    ("rules", "utc_offset"),
    [pytest.param(EVERYTHING, "+08:00", id="everything"), pytest.param(SELDOM, "-03:30", id="seldom")],
)
def test_spark_and_duckdb_and_the_one_lead_evaluator_agree(
    spark: Spark, tmp_path: Path, rules: Catalogue, utc_offset: str
) -> None:
    """On random histories: same values, same types, same missing, same ``valid_until``."""
    leads, moments = drawn(examples=60)
    read, facts = evaluator(rules, site_at(utc_offset)), {each.lead_id: each for each in leads}

    with past_of(site_at(utc_offset), leads, moments) as past:
        of_spark = past.rows(on_spark(spark, tmp_path), rules)
        of_duckdb = past.rows(relational.evaluate, rules)

    assert of_spark.schema == of_duckdb.schema
    assert cells(of_spark) == cells(of_duckdb)
    assert cells(of_spark) == {(lead_id, as_of): exact(read(facts[lead_id], as_of)) for lead_id, as_of in moments}


def test_nobody_to_ask_about_is_an_answer_without_rows(spark: Spark, tmp_path: Path) -> None:
    """An empty spine yields the columns, and no row."""
    with past_of(site(), [], []) as past:
        of_spark = past.rows(on_spark(spark, tmp_path), SELDOM)
        of_duckdb = past.rows(relational.evaluate, SELDOM)

    assert len(of_spark) == 0
    assert of_spark.schema == of_duckdb.schema


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in FILES])
def test_spark_reads_what_the_specification_expects(spark: Spark, tmp_path: Path, path: Path) -> None:
    """Every example of every kind of feature."""
    specified = read_file(path)
    rules = catalogue(*specified["feature"])
    examples = [(example, *told({**specified, **example})) for example in specified["example"]]
    leads = [replace(facts, lead_id=f"lead-{number}") for number, (_, facts, _) in enumerate(examples)]
    moments = [(each.lead_id, as_of) for each, (_, _, as_of) in zip(leads, examples, strict=True)]

    with past_of(SITE, leads, moments) as past:
        found = cells(past.rows(on_spark(spark, tmp_path), rules))

    for moment, (example, facts, as_of) in zip(moments, examples, strict=True):
        read = evaluator(rules, SITE)(facts, as_of)
        assert found[moment] == exact(expected_row(example["expect"], read)), example["says"]


def test_a_lead_with_very_many_events_neither_fails_nor_changes_results(spark: Spark, tmp_path: Path) -> None:
    """One lead has 200,000 events, looked at ten times, among fifty ordinary ones."""
    rules = catalogue(
        {"name": "views", "kind": "count", "events": ["page_view"], "windows": ["7d", "all"]},
        {"name": "paid", "kind": "sum", "events": ["order"], "windows": ["7d", "all"]},
        {"name": "liked", "kind": "top", "events": ["page_view"], "of": "course", "k": 2},
        {"name": "last", "kind": "last_value", "events": ["page_view"], "of": "course"},
        {"name": "days", "kind": "active_days", "events": ["page_view"], "windows": ["7d", "all"]},
        {"name": "since", "kind": "last_age", "events": ["order"], "unit": "hours"},
    )
    busy = busy_lead("busy", events=200_000)
    leads = [busy, *(busy_lead(f"lead-{number}", events=20) for number in range(50))]
    moments = [(each.lead_id, START + day * DAY) for each in leads for day in range(10, 110, 10)]

    with past_of(site(), leads, moments) as past:
        of_spark = past.rows(on_spark(spark, tmp_path), rules)
        of_duckdb = past.rows(relational.evaluate, rules)

    assert cells(of_spark) == cells(of_duckdb)
    assert max(of_spark["views_all"].to_pylist()) > 150_000


def drawn(*, examples: int) -> tuple[list[LeadFacts], Moments]:
    """The leads and moments of many random histories as one; lead ids tell them apart."""
    leads: list[LeadFacts] = []
    moments: set[tuple[str, Micros]] = set()

    @settings(max_examples=examples)
    @given(histories())
    def collect(history: tuple[list[LeadFacts], Moments]) -> None:
        own = f"{len(leads)}-"
        leads.extend(replace(each, lead_id=own + each.lead_id) for each in history[0])
        moments.update((own + lead_id, as_of) for lead_id, as_of in history[1])

    collect()
    return leads, sorted(moments)


def busy_lead(lead_id: str, *, events: int) -> LeadFacts:
    """A lead with events evenly drawn over a hundred days, a tenth of them orders."""
    dice = random.Random(lead_id)  # noqa: S311 - made data
    log = [
        event(
            dice.choices(["page_view", "order"], [9, 1])[0],
            START + dice.randrange(100 * DAY),
            event_id=f"{lead_id}-{number}",
            amount=dice.randrange(10_000),
            labels={"course": dice.choice(["a", "b", "数学", None])},
        )
        for number in range(events)
    ]
    return lead(lead_id, created_at=START - HOUR, events=log)


def cells(rows: pa.Table) -> Cells:
    """Rows by moment, in which 1 differs from 1.0 and every double from its neighbour."""
    return {
        (row.pop(LEAD_ID), row.pop(AS_OF)): exact(Row(valid_until=row.pop(VALID_UNTIL), values=row))
        for row in rows.to_pylist()
    }
