"""Small sites, catalogues and histories for tests, and both evaluators behind one shape."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from features import relational
from features.catalogue import Catalogue
from features.duck import connect
from features.facts import Event, LeadFacts, Tables, Value, Version
from features.identity import HASHED, IDENTITY, Interval
from features.people import rekeyed
from features.single import Row
from leadlight.schema import AS_OF, FOREVER, LEAD_ID, VALID_UNTIL, Micros, to_micros
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


def versions_of(versions: Iterable[Version]) -> tuple[Version, ...]:
    """Versions of one lead, each superseded when the next of the same moment arrives."""
    ordered = sorted(versions, key=lambda version: (version.at, version.arrived_at))
    followed = [
        replace(older, until=newer.arrived_at) if older.at == newer.at else older for older, newer in pairwise(ordered)
    ]
    return (*followed, *ordered[-1:])


def lead(lead_id: str = "lead", *, created_at: Micros = 0, events: Iterable[Event] = (), **known: Any) -> LeadFacts:  # noqa: ANN401  the fields of LeadFacts
    """A lead known from its creation, with one version of its attributes, unless ``known`` says otherwise."""
    channel = known.get("channel", "sem")
    versions = (Version(created_at, created_at, {"channel": channel, "city": None, "budget": None}),)
    fields = {"channel": channel, "versions": versions, "known_at": created_at, **known}
    return LeadFacts(lead_id=lead_id, created_at=created_at, events=tuple(events), **fields)


class Question:
    """A relational expression over history and spine, compiled for DuckDB once and asked about many histories."""

    def __init__(self, site: Site, build: Callable[[Tables, ibis.Table], ibis.Table]) -> None:
        self._labels = site.labels
        backend = connect()
        expression = build(create_tables(backend, site, []), backend.create_table("spine", spine_table([])))
        self._connection = backend.con
        self._connection.execute("SET threads = 1")
        self._query = backend.compile(expression)

    def ask(
        self,
        leads: Iterable[LeadFacts],
        moments: Iterable[tuple[str, Micros]] = (),
        identity: Iterable[Interval] = (),
    ) -> list[dict[str, Any]]:
        """The rows of the answer for the histories of ``leads`` and the spine ``moments``."""
        filled = {f"made_{name}": table for name, table in arrow_tables(leads, self._labels, identity).items()}
        filled["spine"] = spine_table(moments)
        for name, table in filled.items():
            self._connection.execute(f"DELETE FROM {name}")
            self._connection.register("fresh", table)
            self._connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM fresh")
        rows: list[dict[str, Any]] = self._connection.execute(self._query).to_arrow_table().to_pylist()
        return rows


class RelationalRows:
    """The relational evaluator behind the shape of the one-lead evaluator; of ``people``, if some were ever merged."""

    def __init__(self, catalogue: Catalogue, site: Site, *, people: bool = False) -> None:
        def build(tables: Tables, spine: ibis.Table) -> ibis.Table:
            return relational.evaluate(catalogue, site, rekeyed(tables) if people else tables, spine)

        self._question = Question(site, build)

    def read(
        self,
        leads: Iterable[LeadFacts],
        moments: Iterable[tuple[str, Micros]],
        identity: Iterable[Interval] = (),
    ) -> dict[tuple[str, Micros], Row]:
        """The rows of ``moments`` over the histories of ``leads``."""
        rows = self._question.ask(leads, moments, identity)
        return {(row.pop(LEAD_ID), row.pop(AS_OF)): Row(valid_until=row.pop(VALID_UNTIL), values=row) for row in rows}


def merged(leads: Iterable[LeadFacts], *persons: tuple[Micros, Iterable[Iterable[str]]]) -> list[Interval]:
    """Who is who if, from each moment on, just these sets of leads are one person each, named after the oldest."""
    age = {each.lead_id: (each.created_at, each.lead_id) for each in leads}
    changes: dict[str, list[tuple[Micros, str]]] = {}
    for since, sets in sorted(persons, key=lambda each: each[0]):
        oldest = {one: min(person, key=age.__getitem__) for person in map(list, sets) for one in person}
        for one in age:
            told = changes.setdefault(one, [(0, one)])
            if told[-1][1] != oldest.get(one, one):
                told.append((since, oldest.get(one, one)))
    return [
        Interval(one, canonical, since, until)
        for one, told in changes.items()
        if len(told) > 1
        or any(one in {canonical for _, canonical in other} for key, other in changes.items() if key != one)
        for (since, canonical), (until, _) in pairwise([*told, (FOREVER, "")])
    ]


def create_tables(
    connection: ibis.BaseBackend, site: Site, leads: Iterable[LeadFacts], identity: Iterable[Interval] = ()
) -> Tables:
    """The histories of ``leads`` as tables of ``connection``, whose names begin with ``made_``."""
    made = arrow_tables(leads, site.labels, identity)
    return Tables(**{name: connection.create_table(f"made_{name}", table) for name, table in made.items()})


def arrow_tables(
    leads: Iterable[LeadFacts], labels: Iterable[str], identity: Iterable[Interval] = ()
) -> dict[str, pa.Table]:
    """The histories of ``leads`` in the tables of the history; nobody has a contact."""
    leads = list(leads)
    label_columns = [(label, pa.string()) for label in labels]
    int64, text = pa.int64(), pa.string()
    dated = [("lead_id", text), ("at", int64), ("arrived_at", int64), ("until", int64)]
    leads_schema = pa.schema(
        [("lead_id", text), ("created_at", int64), ("known_at", int64), ("channel", text), ("contact", text)]
    )
    versions_schema = pa.schema([*dated, *ATTRIBUTES])
    events_schema = pa.schema([*dated, ("event_id", text), ("kind", text), ("amount", int64), *label_columns])
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
        "contacts": HASHED.empty_table(),
        "identity": pa.Table.from_pylist([each._asdict() for each in identity], IDENTITY),
    }


def exact(row: Row) -> dict[str, tuple[str, Value]]:
    """A row in which 1 differs from 1.0, and every double from its neighbour."""
    values: dict[str, Value] = {**row.values, VALID_UNTIL: row.valid_until}
    return {name: (type(v).__name__, v.hex() if isinstance(v, float) else v) for name, v in values.items()}


def spine_table(moments: Iterable[tuple[str, Micros]]) -> pa.Table:
    rows = [{LEAD_ID: lead_id, AS_OF: as_of} for lead_id, as_of in moments]
    return pa.Table.from_pylist(rows, pa.schema([(LEAD_ID, pa.string()), (AS_OF, pa.int64())]))
