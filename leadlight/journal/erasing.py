"""How answers leave the journal for good: their rows go, and their ids stay, so that it can be said that they went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from leadlight.database import lead_hash, leave_no_trace, listed, spoken, writing
from leadlight.schema import Micros

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

Span = tuple[str, Micros, Micros]
"""A lead, and the moments from the first up to, not including, the second."""

_BURIED: Final = "SELECT lead_hash, erased_at FROM tombstones WHERE lead_hash AMONG ?"
_OF_LEADS: Final = "lead_id AMONG ?"
_OF_SPAN: Final = "lead_id = ? AND as_of >= ? AND as_of < ?"


def erase_answers(engine: Engine, lead_ids: Sequence[str], spans: Iterable[Span] = (), *, at: Micros) -> int:
    """Take out every answer about these leads, and those about the leads of ``spans`` at their moments; how many.

    The leads have their tombstones already: an answer that is written later finds them. ``TracesLeft`` if the
    rows are gone but their traces on disk could not be removed yet: erase again.
    """
    chosen: list[tuple[str, tuple[object, ...]]] = [(_OF_LEADS, (listed(lead_ids, engine),))]
    chosen += [(_OF_SPAN, span) for span in spans]
    count = 0
    with writing(engine) as connection:
        if engine.dialect.name != "sqlite":  # answers under way are in, or see the tombstones
            connection.exec_driver_sql("LOCK TABLE answers IN SHARE ROW EXCLUSIVE MODE")
        for where, values in chosen:
            bury = f"INSERT INTO erased_answers (id, erased_at) SELECT id, {at:d} FROM answers WHERE {where}"
            connection.exec_driver_sql(spoken(bury, engine), values)
            delete = f"DELETE FROM answers WHERE {where}"
            count += connection.exec_driver_sql(spoken(delete, engine), values).rowcount
    leave_no_trace(engine, ["answers"])
    return count


def buried(connection: Connection, lead_ids: Iterable[str]) -> dict[str, Micros]:
    """When each of these leads was erased, for those that were."""
    engine = connection.engine
    by_hash = {lead_hash(lead_id): lead_id for lead_id in lead_ids}
    found = connection.exec_driver_sql(spoken(_BURIED, engine), (listed(list(by_hash), engine),))
    return {by_hash[digest]: erased_at for digest, erased_at in found}
