"""Small sites, catalogues and histories for tests, and both evaluators behind one shape."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from features import relational
from features.catalogue import Catalogue
from features.history import Event, LeadFacts, Tables, Value, Version
from features.single import Row
from leadlight.schema import AS_OF, LEAD_ID, VALID_UNTIL, Micros, to_micros
from leadlight.settings import Site

ATTRIBUTES = pa.schema([("channel", pa.string()), ("city", pa.string()), ("budget", pa.float64())])


def site(**changes: object) -> Site:
    """A small online-education site; ``changes`` replace whole tables of its ``leadlight.toml``."""
    kinds = {
        "page_view": {"labels": ["course"]},
        "lesson": {"labels": ["course"], "delay": "6h"},
        "login": {},
        "order": {"labels": ["category"]},
        "payment": {},
    }
    target = {
        "outcome": ["order"],
        "horizon": "30d",
        "observe": {"offsets": ["7d"]},
        "gate": {"precision": 0.3, "recall": 0.2},
    }
    tables: dict[str, object] = {
        "folder": Path("tiny"),
        "site": {"name": "tiny", "title": {"zh": "小", "en": "Tiny"}, "utc_offset": "+08:00"},
        "kinds": kinds,
        "targets": {"first_order": target},
    }
    return Site.model_validate(tables | changes)


def site_at(utc_offset: str) -> Site:
    """The small site with its days in another fixed offset."""
    return site(site={"name": "tiny", "title": {"zh": "小", "en": "Tiny"}, "utc_offset": utc_offset})


def catalogue(*entries: Mapping[str, object]) -> Catalogue:
    """A catalogue of ``entries``, written as in ``catalogue.toml`` but without wording."""
    worded = [{"zh": str(entry["name"]), "en": str(entry["name"]), **entry} for entry in entries]
    return Catalogue.model_validate({"feature": worded})


def moment(text: str, utc_offset: Micros = 0) -> Micros:
    """The moment of a local date and time such as ``2024-03-10 12:00``."""
    return to_micros(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)) - utc_offset


def event(kind: str, at: Micros, **known: Any) -> Event:  # noqa: ANN401  the fields of Event
    """An event that arrives when it happens, unless ``known`` says otherwise."""
    return Event(**{"event_id": f"{kind}-{at}", "kind": kind, "at": at, "arrived_at": at, **known})


def corrected(*versions: Event) -> list[Event]:
    """Versions of one event, each superseded when the next arrives."""
    ordered = sorted(versions, key=lambda version: version.arrived_at)
    superseded = [Event(**{**vars(older), "until": newer.arrived_at}) for older, newer in pairwise(ordered)]
    return [*superseded, ordered[-1]]


def lead(lead_id: str = "lead", *, created_at: Micros = 0, events: Iterable[Event] = (), **known: Any) -> LeadFacts:  # noqa: ANN401  the fields of LeadFacts
    """A lead with one version of its attributes, from its creation, unless ``known`` says otherwise."""
    channel = known.get("channel", "sem")
    versions = (Version(created_at, created_at, {"channel": channel, "city": None, "budget": None}),)
    fields = {"channel": channel, "versions": versions, **known}
    return LeadFacts(lead_id=lead_id, created_at=created_at, events=tuple(events), **fields)


class Question:
    """A relational expression over history and spine, compiled for DuckDB once and asked about many histories."""

    def __init__(self, site: Site, build: Callable[[Tables, ibis.Table], ibis.Table]) -> None:
        self._labels = site.labels
        backend = ibis.duckdb.connect()
        expression = build(create_tables(backend, site, []), backend.create_table("spine", _spine([])))
        self._connection = backend.con
        self._connection.execute("SET threads = 1")
        self._query = backend.compile(expression)

    def ask(self, leads: Iterable[LeadFacts], moments: Iterable[tuple[str, Micros]] = ()) -> list[dict[str, Any]]:
        """The rows of the answer for the histories of ``leads`` and the spine ``moments``."""
        filled = {f"made_{name}": table for name, table in arrow_tables(leads, self._labels).items()}
        filled["spine"] = _spine(moments)
        for name, table in filled.items():
            self._connection.execute(f"DELETE FROM {name}")
            self._connection.register("fresh", table)
            self._connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM fresh")
        rows: list[dict[str, Any]] = self._connection.execute(self._query).to_arrow_table().to_pylist()
        return rows


class RelationalRows:
    """The relational evaluator behind the shape of the one-lead evaluator."""

    def __init__(self, catalogue: Catalogue, site: Site) -> None:
        self._question = Question(site, lambda tables, spine: relational.evaluate(catalogue, site, tables, spine))

    def read(self, leads: Iterable[LeadFacts], moments: Iterable[tuple[str, Micros]]) -> dict[tuple[str, Micros], Row]:
        """The rows of ``moments`` over the histories of ``leads``."""
        rows = self._question.ask(leads, moments)
        return {(row.pop(LEAD_ID), row.pop(AS_OF)): Row(valid_until=row.pop(VALID_UNTIL), values=row) for row in rows}


def create_tables(connection: ibis.BaseBackend, site: Site, leads: Iterable[LeadFacts]) -> Tables:
    """The histories of ``leads`` as tables of ``connection``, whose names begin with ``made_``."""
    made = arrow_tables(leads, site.labels)
    return Tables(**{name: connection.create_table(f"made_{name}", table) for name, table in made.items()})


def arrow_tables(leads: Iterable[LeadFacts], labels: Iterable[str]) -> dict[str, pa.Table]:
    """The histories of ``leads`` in the three tables of the history."""
    leads = list(leads)
    label_columns = [(label, pa.string()) for label in labels]
    int64, text = pa.int64(), pa.string()
    dated = [("lead_id", text), ("at", int64), ("arrived_at", int64)]
    leads_schema = pa.schema([("lead_id", text), ("created_at", int64), ("channel", text), ("contact", text)])
    versions_schema = pa.schema([*dated, *ATTRIBUTES])
    events_schema = pa.schema(
        [*dated, ("event_id", text), ("until", int64), ("kind", text), ("amount", int64), *label_columns]
    )
    return {
        "leads": pa.Table.from_pylist([vars(each) for each in leads], leads_schema),
        "attributes": pa.Table.from_pylist(
            [{**vars(each), **each.values, "lead_id": of.lead_id} for of in leads for each in of.versions],
            versions_schema,
        ),
        "events": pa.Table.from_pylist(
            [{**vars(each), **(each.labels or {}), "lead_id": of.lead_id} for of in leads for each in of.events],
            events_schema,
        ),
    }


def exact(row: Row) -> dict[str, tuple[str, Value]]:
    """A row in which 1 differs from 1.0, and every double from its neighbour."""
    values: dict[str, Value] = {**row.values, VALID_UNTIL: row.valid_until}
    return {name: (type(v).__name__, v.hex() if isinstance(v, float) else v) for name, v in values.items()}


def _spine(moments: Iterable[tuple[str, Micros]]) -> pa.Table:
    rows = [{LEAD_ID: lead_id, AS_OF: as_of} for lead_id, as_of in moments]
    return pa.Table.from_pylist(rows, pa.schema([(LEAD_ID, pa.string()), (AS_OF, pa.int64())]))
