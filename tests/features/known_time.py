"""Worlds drawn at random, read by both evaluators and by the oracle; and leaks planted into them."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from features import relational
from features.canonical import canonical
from features.catalogue import Catalogue
from features.duck import connect
from features.history import History, write_history
from features.identity import IDENTITY, Interval
from features.people import as_people
from features.single import evaluator
from features.sources import Raw
from leadlight.schema import DAY, HOUR, Micros
from tests.builders import catalogue, lead, merged, site_at, spine_table
from tests.features.histories import ENTRIES, START
from tests.features.oracle import Delivered, Stated, World, is_named_after, row

OFFSET = "+08:00"
ZONE = dt.timezone(dt.timedelta(hours=8))
SITE = site_at(OFFSET)
LABELS = (None, "a", "b", "B", "数学", "Ä", "\U0001f600")
AMOUNTS = (None, 0, -1, 1, 999, 1_000, 300_000, -1_234_567)
DELAYS = (0, 0, 1, HOUR, 6 * HOUR, 30 * HOUR, 9 * DAY)
KINDS = ("page_view", "lesson", "login", "order", "payment")


@dataclass(frozen=True)
class Compared:
    """How many cells were compared, and which differ: where, what was read, what the oracle says."""

    cells: int
    differences: list[str]


def compare(seed: int, histories: int) -> Compared:
    """Draw as many histories and ask both evaluators and the oracle about each at a few moments."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    world, asked = World(), list[tuple[str, Micros]]()
    for number in range(histories):
        asked += add_history(world, draw, f"{number:05}")
    rules = catalogue(*ENTRIES)
    with tempfile.TemporaryDirectory() as folder:
        history = recorded(world, rules, Path(folder))
        relational_rows = by_tables(history, rules, asked)
        single_rows = by_lead(history, rules, asked)
        told = {pair: row(ENTRIES, world, *pair, ZONE) for pair in asked}
    found = [(name, rows) for name, rows in (("relational", relational_rows), ("one lead", single_rows))]
    return Compared(
        cells=sum(len(values) for values in told.values()),
        differences=[
            f"{name}: {pair} {column}: {rows[pair][column]!r}, not {value!r}"
            for name, rows in found
            for pair, values in told.items()
            for column, value in values.items()
            if repr(rows[pair][column]) != repr(value)
        ],
    )


def add_history(world: World, draw: random.Random, name: str) -> list[tuple[str, Micros]]:
    """One to three leads with late, doubled, corrected and future facts, perhaps one person; moments to ask about."""
    leads = [f"{name}-{each}" for each in range(draw.choice((1, 1, 2, 3)))]
    for lead_id in leads:
        world.created[lead_id] = START + draw.randrange(9) * 6 * HOUR
        world.stated[lead_id] = statements(draw, lead_id, world.created[lead_id])
        world.events[lead_id] = [
            version
            for number in range(draw.randrange(9))
            for version in deliveries(draw, lead_id, f"{lead_id}-{number}")
        ]
    merges = partitions(draw, leads) if len(leads) > 1 else []
    for lead_id in leads:
        world.persons[lead_id] = merges
    moments = [since for since, _ in merges]
    for lead_id in leads:
        moments += [world.created[lead_id], *(stated.arrived_at for stated in world.stated[lead_id])]
        moments += [moment for event in world.events[lead_id] for moment in (event.at, event.arrived_at)]
    shifts = (0, 0, 0, HOUR, 6 * HOUR, 36 * HOUR, DAY, 7 * DAY)
    near = {draw.choice(moments) + draw.choice(shifts) + draw.choice((0, 0, 1, -1)) for _ in range(3)}
    return [(each, as_of) for as_of in sorted(near) for each in leads if is_named_after(world, each, as_of)]


def statements(draw: random.Random, lead_id: str, created_at: Micros) -> list[Stated]:
    """Versions of a lead, some of one moment; the first is there from the beginning or late."""
    moments = {(created_at + draw.randrange(5) * DAY, draw.choice(DELAYS)) for _ in range(draw.randrange(1, 5))}
    return [
        Stated(
            lead_id,
            at,
            at + delay,
            {
                "channel": draw.choice(("sem", "live")),
                "city": draw.choice(LABELS),
                "budget": draw.choice((None, 0.1, 2.5)),
            },
        )
        for at, delay in sorted(moments)
    ]


def deliveries(draw: random.Random, lead_id: str, event_id: str) -> Iterator[Delivered]:
    """One event in one to three versions that may differ in all but the id, in any order, some of them doubled."""
    first = START + draw.randrange(40) * 6 * HOUR + draw.choice((0, 0, 1, -1))
    early = draw.choice((0, 0, 0, 0, DAY))
    arrivals = {first - early + draw.choice(DELAYS) for _ in range(draw.randrange(1, 4))}
    for arrived_at in sorted(arrivals, key=lambda _: draw.random()):
        at = first if draw.random() < 0.7 else first + draw.randrange(-20, 20) * 6 * HOUR
        kind = draw.choice(KINDS)
        label = "course" if kind in {"page_view", "lesson"} else "category"
        labels = {"course": None, "category": None, label: draw.choice(LABELS)}
        version = Delivered(event_id, lead_id, kind, at, arrived_at, draw.choice(AMOUNTS), labels)
        yield from [version] * draw.choice((1, 1, 2))


def partitions(draw: random.Random, leads: list[str]) -> list[tuple[Micros, list[list[str]]]]:
    """Who is one person from each of a few moments on."""
    changes = []
    for since in sorted({START + draw.randrange(60) * 6 * HOUR for _ in range(draw.randrange(4))}):
        sets: dict[int, list[str]] = {}
        for each in leads:
            sets.setdefault(draw.randrange(2), []).append(each)
        changes.append((since, list(sets.values())))
    return changes


def recorded(world: World, rules: Catalogue, folder: Path) -> History:
    """The world as a history: raw tables as sources deliver them, in any order, made canonical and written."""
    connection = connect()
    for name, table in raw_tables(world).items():
        connection.con.register("given", table)
        columns = [column for column in ("created_at", "at", "arrived_at") if column in table.column_names]
        moments = ", ".join(f'make_timestamptz("{column}") AS "{column}"' for column in columns)
        connection.con.execute(
            f"CREATE TABLE raw_{name} AS SELECT * REPLACE ({moments}) FROM given ORDER BY hash(given)"
        )
        connection.con.unregister("given")
    raw = Raw(connection, connection.table("raw_leads"), connection.table("raw_events"))
    identity = pa.Table.from_pylist([stay._asdict() for stay in stays(world)], IDENTITY)
    tables = replace(canonical(raw, SITE, rules), identity=connection.create_table("who", identity))
    history = write_history(tables, connection, folder)
    connection.disconnect()
    return history


def stays(world: World) -> Iterator[Interval]:
    """Who was who in the world."""
    together: dict[tuple[str, ...], list[tuple[Micros, list[list[str]]]]] = {}
    for merges in world.persons.values():
        if merges:
            together[tuple(sorted(each for person in merges[0][1] for each in person))] = merges
    for leads, merges in together.items():
        yield from merged([lead(each, created_at=world.created[each]) for each in leads], *merges)


def raw_tables(world: World) -> dict[str, pa.Table]:
    """The world as a source's two tables."""
    stated = [
        {
            "lead_id": each.lead_id,
            "created_at": world.created[each.lead_id],
            "at": each.at,
            "arrived_at": each.arrived_at,
            **each.values,
        }
        for versions in world.stated.values()
        for each in versions
    ]
    events = [{**vars(each), **each.labels} for versions in world.events.values() for each in versions]
    text, moment = pa.string(), pa.int64()
    dated = [("lead_id", text), ("at", moment), ("arrived_at", moment)]
    leads = [*dated, ("created_at", moment), ("channel", text), ("city", text), ("budget", pa.float64())]
    happened = [*dated, ("event_id", text), ("kind", text), ("amount", moment), ("course", text), ("category", text)]
    return {
        "leads": pa.Table.from_pylist(stated, pa.schema(leads)),
        "events": pa.Table.from_pylist(events, pa.schema(happened)),
    }


Rows = dict[tuple[str, Micros], dict[str, Any]]


def by_tables(history: History, rules: Catalogue, asked: Sequence[tuple[str, Micros]]) -> Rows:
    """The relational evaluator's rows."""
    with history.reading() as tables:
        spine = ibis.memtable(spine_table(asked))
        rows = relational.evaluate(rules, SITE, as_people(tables), spine).to_pyarrow().to_pylist()
    return {(each["lead_id"], each["as_of"]): each for each in rows}


def by_lead(history: History, rules: Catalogue, asked: Sequence[tuple[str, Micros]]) -> Rows:
    """The one-lead evaluator's rows."""
    read = evaluator(rules, SITE)
    facts = history.facts(lead_id for lead_id, _ in asked)
    return {(lead_id, as_of): dict(read(facts[lead_id], as_of).values) for lead_id, as_of in asked}
