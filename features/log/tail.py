"""A stretch of the log as Arrow tables, for a build to take into the base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from leadlight.database import read, spoken

if TYPE_CHECKING:
    from sqlalchemy import Engine

_TEXTS = pa.string()
_MOMENT = pa.int64()
_FACT = {"seq": pa.int64(), "lead_id": _TEXTS, "arrived_at": _MOMENT}
COLUMNS: Final = {
    "versions": {
        **_FACT,
        "created_at": _MOMENT,
        "channel": _TEXTS,
        "contact": _TEXTS,
        "at": _MOMENT,
        "first": pa.bool_(),
        "attributes": _TEXTS,
    },
    "events": {
        **_FACT,
        "event_id": _TEXTS,
        "kind": _TEXTS,
        "at": _MOMENT,
        "first": pa.bool_(),
        "amount": pa.int64(),
        "labels": _TEXTS,
    },
    "contacts": {**_FACT, "type": _TEXTS, "hash": _TEXTS},
    "edges": {**_FACT, "other_id": _TEXTS, "verdict": _TEXTS, "source": _TEXTS, "evidence": _TEXTS},
    "tombstones": {"seq": pa.int64(), "lead_hash": _TEXTS, "erased_at": _MOMENT},
}
"""The columns of each table of a tail, in their order."""
_NAMES = {"versions": "lead_versions"}
_CHUNK = 50_000
"""Sequence numbers read at a time: what a long tail costs in memory is its Arrow tables."""


@dataclass(frozen=True)
class Tail:
    """The facts of a stretch of the log, each table in the order of ``seq``.

    ``attributes`` and ``labels`` are JSON objects of the known ones. Of ``edges`` and ``versions``, as of ``events``,
    every row is here, also those that a later one replaces.
    """

    versions: pa.Table
    events: pa.Table
    contacts: pa.Table
    edges: pa.Table
    tombstones: pa.Table


def read_tail(engine: Engine, *, after: int, through: int) -> Tail:
    """The facts with ``after < seq <= through``."""
    return Tail(**{name: _table(engine, name, after, through) for name in COLUMNS})


def _table(engine: Engine, name: str, after: int, through: int) -> pa.Table:
    columns = COLUMNS[name]
    selected = ", ".join(f'"{column}"' for column in columns)
    table = _NAMES.get(name, name)
    sql = spoken(f"SELECT {selected} FROM {table} WHERE seq > ? AND seq <= ? ORDER BY seq", engine)
    schema = pa.schema(list(columns.items()))
    chunks = (read(engine, sql, stretch) for stretch in _stretches(after, through))
    return pa.Table.from_batches([_batch(rows, schema) for rows in chunks if rows], schema)


def _stretches(after: int, through: int) -> Iterator[tuple[int, int]]:
    for start in range(after, through, _CHUNK):
        yield start, min(start + _CHUNK, through)


def _batch(rows: Sequence[Sequence[object]], schema: pa.Schema) -> pa.RecordBatch:
    """SQLite has no booleans: its numbers become them."""
    columns = zip(*rows, strict=True)
    arrays = [
        pa.array(map(bool, column) if field.type == pa.bool_() else column, field.type)
        for field, column in zip(schema, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
