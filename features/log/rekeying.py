"""A new link of the key that contacts are hashed with, and the log's contacts taken along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from features.identity import Key, needed_key, rekeyed
from features.identity.key import VARIABLE, add_link
from features.log.sequence import lock_head
from leadlight.database import Row, read, spoken, writing
from leadlight.settings import Site, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_ROWS = 10_000


@dataclass(frozen=True)
class Rotated:
    """The key as it now is, and how many contacts of the log were taken to it."""

    key: Key
    contacts: int


def rotate(site: Site, state: Path, environment: Mapping[str, str], engine: Engine) -> Rotated:
    """Add a link to the site's key and take the log's contacts to it.

    A rotation that was interrupted, or a link that was added to the environment, is followed; it adds no other.
    ``UsageError`` where the key stands in the environment and nothing was added to it.
    """
    key = needed_key(site, state, environment)
    if not under_older_links(engine, key):
        if environment.get(VARIABLE):
            raise UsageError([f"{VARIABLE}: put a new key behind the old one, with a comma between, and rotate again"])
        key = add_link(state)
    return Rotated(key, rekey_contacts(engine, key))


def under_older_links(engine: Engine, key: Key) -> int:
    """How many contacts are not hashed under all of ``key``."""
    (row,) = read(engine, spoken("SELECT count(*) FROM contacts WHERE hash NOT LIKE ?", engine), (f"{key.name}.%",))
    return int(row[0])


def rekey_contacts(engine: Engine, key: Key) -> int:
    """Take every contact to all of ``key``, or none: how many were changed.

    ``SiteError`` if one was hashed under a key that ``key`` does not begin with.
    """
    changed = 0
    with writing(engine) as connection:
        lock_head(connection)
        for rows in _older(connection, key):
            changed += len(rows)
            taken = [(lead_id, kind, rekeyed(old, key), seq) for seq, lead_id, kind, old in rows]
            # A server that knew the new link first may have heard the contact once more.
            again = spoken("DELETE FROM contacts WHERE lead_id = ? AND type = ? AND hash = ?", engine)
            connection.exec_driver_sql(again, [row[:3] for row in taken])
            change = spoken("UPDATE contacts SET hash = ? WHERE seq = ?", engine)
            connection.exec_driver_sql(change, [row[2:] for row in taken])
    return changed


def _older(connection: Connection, key: Key) -> Iterator[list[Row]]:
    query = "SELECT seq, lead_id, type, hash FROM contacts WHERE seq > ? AND hash NOT LIKE ? ORDER BY seq LIMIT ?"
    last = 0
    while True:
        values = (last, f"{key.name}.%", _ROWS)
        rows = [tuple(row) for row in connection.exec_driver_sql(spoken(query, connection.engine), values)]
        if not rows:
            return
        yield rows
        last = rows[-1][0]
