"""The log's one sequence. Whoever holds its head is the only writer, so numbers are given in the order of commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection


def lock_head(connection: Connection) -> int:
    """The last number given, held until the transaction of ``connection`` ends; it must not have read before."""
    held = "" if connection.dialect.name == "sqlite" else " FOR UPDATE"  # SQLite's writer is alone from its beginning
    return int(connection.exec_driver_sql(f"SELECT seq FROM head{held}").scalar_one())


def move_head(connection: Connection, seq: int) -> None:
    """Say that the numbers up to ``seq`` are given."""
    connection.exec_driver_sql(f"UPDATE head SET seq = {seq}")
