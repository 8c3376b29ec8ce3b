"""The journal read back: a table of answers for whoever judges them, or single ones to be replayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from leadlight.database import Row, lead_hash, read, spoken
from leadlight.journal.answer import COLUMNS, Answer
from leadlight.schema import FOREVER, Micros

if TYPE_CHECKING:
    from sqlalchemy import Engine

_FLAGS: Final = frozenset({"inline", "flagged", "degraded", "explored"})
_NUMBERS: Final = frozenset({"probability", "raw", "low", "high", "shadow_probability", "explore_probability"})
_MOMENTS: Final = frozenset({"asked_at", "as_of", "features_as_of"})
_AT_ONCE: Final = 10_000


def _type(name: str) -> pa.DataType:
    if name in _FLAGS:
        return pa.bool_()
    if name in _NUMBERS:
        return pa.float64()
    return pa.int64() if name in _MOMENTS else pa.string()


SCHEMA: Final = pa.schema([(name, _type(name)) for name in COLUMNS])
"""The columns of ``answers``; moments are µs UTC, ``vector``, ``locks`` and ``reasons`` JSON."""
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM answers"


@dataclass(frozen=True)
class Erased:
    """An answer, or all answers about a lead, that were erased with the person."""

    at: Micros


def answers(
    engine: Engine, *, target: str | None = None, since: Micros | None = None, until: Micros | None = None
) -> pa.Table:
    """The answers about ``target`` (all by default) with ``since <= asked_at < until``, the oldest first."""
    parts = [
        pa.Table.from_pydict(dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True)), SCHEMA)
        for rows in _in_parts(engine, target, 0 if since is None else since, FOREVER if until is None else until)
    ]
    return pa.concat_tables([SCHEMA.empty_table(), *parts])


def answer(engine: Engine, answer_id: str) -> Answer | Erased | None:
    """The answer of this id, that it was erased, or ``None`` if there never was one."""
    found = _found(engine, "WHERE id = ?", (answer_id,))
    if found:
        return found[0]
    gone = read(engine, spoken("SELECT erased_at FROM erased_answers WHERE id = ?", engine), (answer_id,))
    return Erased(gone[0][0]) if gone else None


def answers_of(engine: Engine, lead_id: str, *, target: str | None = None) -> list[Answer] | Erased:
    """Every answer about a lead, the oldest first, or that the lead was erased."""
    gone = read(engine, spoken("SELECT erased_at FROM tombstones WHERE lead_hash = ?", engine), (lead_hash(lead_id),))
    if gone:
        return Erased(gone[0][0])
    only, values = ("", ()) if target is None else (" AND target = ?", (target,))
    return _found(engine, f"WHERE lead_id = ?{only} ORDER BY asked_at, id", (lead_id, *values))


def last_answer(
    engine: Engine, lead_ids: Iterable[str], *, target: str, until: Micros | None = None
) -> Answer | Erased | None:
    """The last answer until a moment about the first of these leads that has any, or that the lead was erased."""
    for lead_id in lead_ids:
        found = answers_of(engine, lead_id, target=target)
        if isinstance(found, Erased):
            return found
        given = [each for each in found if until is None or each.asked_at <= until]
        if given:
            return given[-1]
    return None


def _in_parts(engine: Engine, target: str | None, since: Micros, until: Micros) -> Iterator[list[tuple[object, ...]]]:
    """The rows part by part, each beginning after the last row of the one before."""
    only, of_target = ("", ()) if target is None else ("target = ? AND ", (target,))
    statement = spoken(
        f"{_SELECT} WHERE {only}asked_at < ? AND (asked_at, id) > (?, ?) ORDER BY asked_at, id LIMIT {_AT_ONCE}",
        engine,
    )
    after: tuple[Micros, str] = (since, "")
    while rows := read(engine, statement, (*of_target, until, *after)):
        yield [_typed(row) for row in rows]
        after = (rows[-1][COLUMNS.index("asked_at")], rows[-1][COLUMNS.index("id")])


def _found(engine: Engine, where: str, values: tuple[object, ...]) -> list[Answer]:
    rows = read(engine, spoken(f"{_SELECT} {where}", engine), values)
    return [Answer(**dict(zip(COLUMNS, _typed(row), strict=True))) for row in rows]  # type: ignore[arg-type]  # as SCHEMA types them


def _typed(row: Row) -> tuple[object, ...]:
    """A row whose flags are such: SQLite keeps 0 and 1."""
    return tuple(bool(value) if name in _FLAGS else value for name, value in zip(COLUMNS, row, strict=True))
