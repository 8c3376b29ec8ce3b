"""Rows of ``(lead_id, as_of)``: how cells come to stand beside them, and arithmetic that is exact."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as types

from leadlight.schema import AS_OF, FOREVER, LEAD_ID, VALID_UNTIL, Micros

KEYS = (LEAD_ID, AS_OF)

# Functions that DuckDB and Spark have under one name, and ibis does not offer for both.
bit_or = ibis.udf.agg.builtin(lambda word: word, name="bit_or", signature=((types.int64,), types.int64))
bit_count = ibis.udf.scalar.builtin(lambda word: word, name="bit_count", signature=((types.int64,), types.int32))
_count_if = ibis.udf.agg.builtin(lambda flag: flag, name="count_if", signature=((types.boolean,), types.Decimal(38, 0)))


def beside(rows: ibis.Table, cells: ibis.Table) -> ibis.Table:
    """``rows`` with the columns of ``cells``, null where ``cells`` has no such lead and moment."""
    joined = rows.left_join(cells, list(KEYS), rname="{name}_right")
    return joined.drop(*(f"{key}_right" for key in KEYS))


def changing_at(rows: ibis.Table, *changes: ibis.Value) -> ibis.Table:
    """``rows`` valid no longer than to the earliest of ``changes``; a null never comes."""
    earliest = ibis.least(rows[VALID_UNTIL], *(change.fill_null(FOREVER) for change in changes))
    return rows.mutate(**{VALID_UNTIL: earliest})


def how_often(flag: ibis.Value) -> ibis.Value:
    """In how many rows ``flag`` holds."""
    return _count_if(flag).cast("int64")


def only(cell: ibis.Value, flag: ibis.Value) -> ibis.Value:
    """``cell`` where ``flag`` holds, else null: DuckDB takes dozens of these faster than as many FILTER clauses."""
    return ibis.cases((flag, cell), else_=None)


def as_int64(total: ibis.Value) -> ibis.Value:
    """A sum of integers as int64, exactly: DuckDB's is 128 bits wide, and ibis, unaware of it, drops a direct cast."""
    return total.cast("decimal(38, 0)").cast("int64")


def floor_mod(number: ibis.Value, unit: int) -> ibis.Value:
    """``number % unit`` as Python has it: never negative."""
    return (number % unit + unit) % unit


def floor_div(number: ibis.Value, unit: int) -> ibis.Value:
    """``number // unit`` as Python has it, exactly: only a multiple is divided, so rounding restores the whole."""
    return ((number - floor_mod(number, unit)) / unit).round().cast("int64")


def tick(at: ibis.Value, unit: Micros, as_of: ibis.Value) -> ibis.Value:
    """The next moment after ``as_of`` at which the whole units elapsed since ``at`` become one more."""
    return as_of - floor_mod(as_of - at, unit) + unit
