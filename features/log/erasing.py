"""How leads leave the log for good: their rows go, and a tombstone keeps them from coming back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from features.log.reading import ERASED
from features.log.sequence import lock_head, move_head
from leadlight.database import lead_hash, leave_no_trace, listed, spoken, writing
from leadlight.schema import Micros

if TYPE_CHECKING:
    from sqlalchemy import Engine

_NAMED_IN: Final = {
    "lead_versions": ("lead_id",),
    "events": ("lead_id",),
    "contacts": ("lead_id",),
    "edges": ("lead_id", "other_id"),
}
"""Where a lead's rows are: the tables, and the columns that name it."""
_BURY = "INSERT INTO tombstones (seq, lead_hash, erased_at) VALUES (?, ?, ?)"


def erase_leads(engine: Engine, lead_ids: Sequence[str], *, at: Micros) -> dict[str, int]:
    """Delete every row that names one of these leads, known to the log or not; the rows deleted, by table.

    ``TracesLeft`` if they are gone but their traces on disk could not be removed yet: erase them again.
    """
    wanted = listed(lead_ids, engine)
    hashes = list(dict.fromkeys(map(lead_hash, lead_ids)))
    with writing(engine) as connection:
        head = lock_head(connection)
        found = connection.exec_driver_sql(spoken(ERASED, engine), (listed(hashes, engine),))
        buried = set(found.scalars())
        new = [digest for digest in hashes if digest not in buried]
        if new:
            tombstones = [(seq, digest, at) for seq, digest in enumerate(new, head + 1)]
            connection.exec_driver_sql(spoken(_BURY, engine), tombstones)
            move_head(connection, head + len(new))
        counts = {}
        for table, columns in _NAMED_IN.items():
            named = " OR ".join(f"{column} AMONG ?" for column in columns)
            deleted = connection.exec_driver_sql(
                spoken(f"DELETE FROM {table} WHERE {named}", engine), (wanted,) * len(columns)
            )
            counts[table] = deleted.rowcount
    leave_no_trace(engine, list(_NAMED_IN))
    return counts
