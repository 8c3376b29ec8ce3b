"""Connections to DuckDB, for Ibis: the one way to open them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend


def connect() -> Backend:
    """A connection of its own, in memory.

    A join may hand the filter it makes to a table that DuckDB reads from Arrow, which cannot take it where that table
    stands in a union with Parquet (duckdb/duckdb-python#463): joins hand on no filters.
    """
    connection = ibis.duckdb.connect()  # noqa: TID251 -- the one place where it is opened
    connection.con.execute("SET disabled_optimizers = 'join_filter_pushdown'")
    return connection


@contextmanager
def connected() -> Iterator[Backend]:
    """A connection that ends with the block."""
    connection = connect()
    try:
        yield connection
    finally:
        connection.disconnect()
