"""The log's head: its one sequence and its one clock, which all processes share.

Whoever holds it is the only writer, so numbers are given in the order of commits, and what is committed later arrives
later. A moment up to ``Head.settled`` can be asked about: nothing that this head does not know will ever have arrived
by then. Whoever wants to ask about a later one moves the clock first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadlight.database import jot, read, spoken
from leadlight.schema import Micros

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

PATIENCE_MS: Final = 30_000
"""How long somebody waits for whom nobody waits."""
_COLUMNS: Final = "seq, newest, clock"


@dataclass(frozen=True)
class Head:
    """The log's head as it was read: ``seq`` is the last number given, ``newest`` the newest arrival."""

    seq: int
    newest: Micros
    clock: Micros

    @property
    def settled(self) -> Micros:
        """The last moment at which all that had arrived is up to ``seq``: what comes later arrives later."""
        return self.clock + 1

    def arrival(self, now: Micros) -> Micros:
        """When something arrives that comes ``now``: after every moment that anybody has asked about."""
        return max(now, self.clock + 2)


def look(engine: Engine) -> Head:
    """The head, which the facts up to it were committed with."""
    return Head(*read(engine, f"SELECT {_COLUMNS} FROM head")[0])


def lock_head(connection: Connection) -> Head:
    """The head, held until the transaction of ``connection`` ends; it must not have read before."""
    held = "" if connection.dialect.name == "sqlite" else " FOR UPDATE"  # SQLite's writer is alone from its beginning
    return Head(*connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM head{held}").one())


def move_head(connection: Connection, seq: int) -> None:
    """Say that the numbers up to ``seq`` are given."""
    connection.exec_driver_sql(f"UPDATE head SET seq = {seq}")


def move_clock(connection: Connection, arrived_at: Micros) -> None:
    """Say that something arrived, the newest of all."""
    connection.exec_driver_sql(f"UPDATE head SET newest = {arrived_at}, clock = {arrived_at}")


def settle(engine: Engine, moment: Micros, *, patience_ms: int) -> Head | None:
    """The head once ``moment`` is settled, for which the clock is moved; ``None`` if a writer holds it for so long."""
    clock = moment - 1
    moved = f"UPDATE head SET clock = CASE WHEN clock < ? THEN ? ELSE clock END RETURNING {_COLUMNS}"
    rows = jot(engine, spoken(moved, engine), (clock, clock), patience_ms=patience_ms)
    return None if rows is None else Head(*rows[0])
