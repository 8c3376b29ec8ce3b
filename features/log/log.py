"""The live log of a site: facts as they arrive, each numbered, none ever changed but by being erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from features.facts import LeadFacts
from features.identity.evidence import Edge, Evidence
from features.log.erasing import erase_leads
from features.log.facts import Appended, Logged, NewFact, Refused
from features.log.judging import judge
from features.log.known import known_of
from features.log.linking import contacts_like, contacts_of, edges_of, linked, shown_by
from features.log.reading import BURIED, CHANGED, CHANGED_PARTS, ERASED, FACTS, HEAD, NEWEST, logged
from features.log.sequence import lock_head, move_head
from features.log.tail import Tail, read_tail
from leadlight.database import lead_hash, listed, read, spoken, writing
from leadlight.schema import Micros

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Log:
    """The log in a database that is open; safe to use from several threads, and by several processes at once.

    Every method may raise ``leadlight.database.DatabaseUnavailable``.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = Lock()  # threads wait in line here; SQLite would let them try again and again
        self._head, self._changed, self._facts, self._erased = (
            spoken(sql, engine) for sql in (HEAD, CHANGED, FACTS, ERASED)
        )

    @property
    def engine(self) -> Engine:
        """The database it lies in, for what is done to the log as a whole."""
        return self._engine

    def append(self, facts: Sequence[NewFact], *, arrived_at: Micros, base: Mapping[str, LeadFacts]) -> Appended:
        """Take all of ``facts``, in their order, or none.

        ``base``: what the base records of the leads they name, as far as it knows them. A correction arrives after
        what it corrects, be it by 1 µs. ``Refused`` lists everything that is wrong with any of them.
        """
        from leadlight.database.tables import METADATA

        with self._turn, writing(self._engine) as connection:
            head = lock_head(connection)
            judged = judge(facts, known_of(facts, base, connection), arrived_at=arrived_at, seq=head)
            if judged.faults:
                raise Refused(judged.faults)
            if judged.seq != head:
                for table, rows in judged.rows.items():
                    connection.execute(METADATA.tables[table].insert(), rows)
                move_head(connection, judged.seq)
        return Appended(tuple(judged.results), judged.seq)

    def head(self) -> int:
        """The last sequence number given: every fact up to it can be read."""
        return int(read(self._engine, self._head)[0][0])

    def changed(self, after: int) -> tuple[int, frozenset[str]]:
        """The head, and the leads with facts after ``after``; a lead that was erased is there by its ``lead_hash``."""
        head = self.head()
        if head == after:
            return head, frozenset()
        rows = read(self._engine, self._changed, (after, head) * CHANGED_PARTS)
        return head, frozenset(lead_id for (lead_id,) in rows)

    def facts(self, lead_ids: Iterable[str], *, after: int) -> dict[str, Logged]:
        """What the log holds of each of these leads after ``after``, as of one moment; leads without are left out."""
        wanted = listed(list(lead_ids), self._engine)
        return logged(read(self._engine, self._facts, (wanted, after) * 3))

    def newest(self) -> Micros | None:
        """When the newest fact arrived; ``None`` if there is none."""
        return max((moment for (moment,) in read(self._engine, NEWEST)), default=None)

    def linked(self, after: int) -> frozenset[str]:
        """The leads of which something was learnt after ``after`` that can change who is who."""
        return linked(self._engine, after)

    def contacts_of(self, lead_ids: Iterable[str]) -> list[Evidence]:
        """Every contact that these leads showed."""
        return contacts_of(self._engine, lead_ids)

    def shown_by(self, lead_ids: Iterable[str]) -> list[tuple[str, str | None]]:
        """Each of these leads with every masked contact that its versions had."""
        return [(lead_id, contact) for lead_id, contact in shown_by(self._engine, lead_ids)]

    def contacts_like(self, hashes: Iterable[str]) -> list[Evidence]:
        """Every lead that showed a contact with one of these hashes."""
        return contacts_like(self._engine, hashes)

    def edges_of(self, lead_ids: Iterable[str]) -> list[Edge]:
        """Every word said of these leads, on either side."""
        return edges_of(self._engine, lead_ids)

    def tail(self, *, after: int, through: int) -> Tail:
        """The facts with ``after < seq <= through``, which must not be beyond the head."""
        return read_tail(self._engine, after=after, through=through)

    def erased(self, lead_ids: Iterable[str]) -> frozenset[str]:
        """Which of these leads were erased."""
        hashes = {lead_hash(lead_id): lead_id for lead_id in lead_ids}
        found = read(self._engine, self._erased, (listed(list(hashes), self._engine),))
        return frozenset(hashes[digest] for (digest,) in found)

    def buried(self, after: int) -> frozenset[str]:
        """The ``lead_hash`` of each lead that was erased after ``after``."""
        return frozenset(digest for (digest,) in read(self._engine, spoken(BURIED, self._engine), (after,)))

    def erase(self, lead_ids: Iterable[str], *, at: Micros) -> dict[str, int]:
        """Delete all rows that name one of these leads, for good; the rows deleted, by table.

        ``TracesLeft`` if they are gone, but still to be found on the disk.
        """
        return erase_leads(self._engine, list(lead_ids), at=at)
