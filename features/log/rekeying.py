"""A new link of the key that contacts are hashed with, and the log's contacts taken along.

What a server hashed that did not know the link yet was compared with nothing that had been taken along, and it was
answered so. Such a contact is comparable from the re-keying on: until then it is a contact of its own kind.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from features.history import History, open_history
from features.history.summary import last_summary
from features.identity import Evidence, Key, needed_key, rekeyed
from features.identity.key import VARIABLE, add_link
from features.log.log import Log
from features.log.sequence import lock_head, look, move_clock, move_head
from leadlight.database import Row, listed, read, spoken, writing
from leadlight.schema import Micros
from leadlight.settings import Site, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

Recorded = Callable[[Sequence[str]], Iterable[Evidence]]
"""Tells who showed one of these hashes."""

_ROWS = 10_000


@dataclass(frozen=True)
class Rotated:
    """The key as it now is, and how many contacts of the log were taken to it."""

    key: Key
    contacts: int


def rotate(site: Site, state: Path, environment: Mapping[str, str], engine: Engine, *, wall: Micros) -> Rotated:
    """Add a link to the site's key and take the log's contacts to it, at ``wall`` or just after the newest fact.

    A rotation that was interrupted, or a link that was added to the environment, is followed; it adds no other.
    ``UsageError`` where the key stands in the environment and nothing was added to it.
    """
    key = needed_key(site, state, environment)
    if not under_older_links(engine, key):
        if environment.get(VARIABLE):
            raise UsageError([f"{VARIABLE}: put a new key behind the old one, with a comma between, and rotate again"])
        key = add_link(state)
    base = _base(state)
    return Rotated(key, rekey_contacts(engine, key, now=_now(site, base, engine, wall), recorded=_recorded_in(base)))


def under_older_links(engine: Engine, key: Key) -> int:
    """How many contacts are not hashed under all of ``key``."""
    (row,) = read(engine, spoken("SELECT count(*) FROM contacts WHERE hash NOT LIKE ?", engine), (f"{key.name}.%",))
    return int(row[0])


def dated_head(site: Site, state: Path, log: Log, key: Key | None, *, wall: Micros) -> int:
    """The head up to which a build may take in the log: what a server hashed under an older link is dated by then.

    It is no other lead's before this.
    """
    if key is None:
        return log.head()
    base = _base(state)
    now = _now(site, base, log.engine, wall)
    with writing(log.engine) as connection:
        _date_late(connection, key, now=now, recorded=_recorded_in(base))
        return lock_head(connection).seq


def rekey_contacts(engine: Engine, key: Key, *, now: Micros, recorded: Recorded) -> int:
    """Take every contact to all of ``key``, or none: how many were changed.

    One that is found to be another lead's, though it was not compared with it before, is that lead's contact from
    ``now`` on. ``recorded`` tells who showed a hash in the base. ``SiteError`` if one was hashed under a key that
    ``key`` does not begin with.
    """
    changed = 0
    with writing(engine) as connection:
        _date_late(connection, key, now=now, recorded=recorded)
        for rows in _older(connection, key):
            changed += len(rows)
            taken = [(lead_id, kind, rekeyed(old, key), seq) for seq, lead_id, kind, old in rows]
            # A server that knew the new link first may have heard the contact once more.
            again = spoken("DELETE FROM contacts WHERE lead_id = ? AND type = ? AND hash = ?", engine)
            connection.exec_driver_sql(again, [row[:3] for row in taken])
            change = spoken("UPDATE contacts SET hash = ? WHERE seq = ?", engine)
            connection.exec_driver_sql(change, [row[2:] for row in taken])
    return changed


def _date_late(connection: Connection, key: Key, *, now: Micros, recorded: Recorded) -> int:
    """Say of each contact under an older link that is another lead's under ``key`` that this is known from ``now`` on.

    What it was equal to before it stays equal to, under a hash that nothing else has. How many there were.
    """
    engine, head = connection.engine, lock_head(connection)
    late = [each for rows in _older(connection, key) for each in _late(connection, rows, key, recorded)]
    if not late:
        return 0
    connection.exec_driver_sql(
        spoken("UPDATE contacts SET hash = ? WHERE seq = ?", engine),
        [(_of_before(new, key), seq) for seq, _, _, new in late],
    )
    mine = {tuple(row) for row in _holders(connection, [new for *_, new in late])}
    at = head.arrival(now)
    rows = [(lead_id, kind, new, at) for _, lead_id, kind, new in late if (lead_id, new) not in mine]
    rows = list(dict.fromkeys(rows))
    if rows:
        insert = "INSERT INTO contacts (seq, lead_id, type, hash, arrived_at) VALUES (?, ?, ?, ?, ?)"
        connection.exec_driver_sql(spoken(insert, engine), [(seq, *row) for seq, row in enumerate(rows, head.seq + 1)])
        move_head(connection, head.seq + len(rows))
        move_clock(connection, at)
    return len(late)


def _late(
    connection: Connection, rows: Sequence[Row], key: Key, recorded: Recorded
) -> Iterator[tuple[int, str, str, str]]:
    """Of rows under older links the (seq, lead_id, type, hash under ``key``) of those that others showed under it."""
    news = [(seq, lead_id, kind, rekeyed(old, key)) for seq, lead_id, kind, old in rows]
    wanted = list(dict.fromkeys(new for *_, new in news))
    in_base, in_log = set[tuple[str, str]](), {tuple(row) for row in _holders(connection, wanted)}
    in_base.update((each.lead_id, each.hash) for each in recorded(wanted))
    holders: dict[str, set[str]] = {}
    for lead_id, new in in_base | in_log:
        holders.setdefault(new, set()).add(lead_id)
    for seq, lead_id, kind, new in news:
        if (lead_id, new) not in in_base and holders.get(new, set()) - {lead_id}:
            yield seq, lead_id, kind, new


def _holders(connection: Connection, hashes: Sequence[str]) -> list[Row]:
    query = spoken("SELECT lead_id, hash FROM contacts WHERE hash AMONG ?", connection.engine)
    return [tuple(row) for row in connection.exec_driver_sql(query, (listed(hashes, connection.engine),))]


def _of_before(new: str, key: Key) -> str:
    """The same for equal contacts, and equal to none that was under ``key`` then."""
    return f"{key.name}.{hmac.digest(key.links[-1], f'before {new}'.encode(), 'sha256').hex()}"


def _older(connection: Connection, key: Key) -> Iterator[list[Row]]:
    query = "SELECT seq, lead_id, type, hash FROM contacts WHERE seq > ? AND hash NOT LIKE ?"
    last = 0
    while True:
        values = (last, f"{key.name}.%", _ROWS)
        sql = spoken(f"{query} ORDER BY seq LIMIT ?", connection.engine)
        rows = [tuple(row) for row in connection.exec_driver_sql(sql, values)]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _base(state: Path) -> History | None:
    """The base, if there is one that this Leadlight wrote."""
    return None if last_summary(state) is None else open_history(state)


def _recorded_in(base: History | None) -> Recorded:
    """Who showed a hash in ``base``."""
    return base.contacts_like if base else lambda _: ()


def _now(site: Site, base: History | None, engine: Engine, wall: Micros) -> Micros:
    if site.clock.at == "wall":
        return wall
    return max(look(engine).newest, base.summary.newest_fact if base else 0) + 1
