"""Raw files and live facts, read, checked and written as one history, in which it is worked out who is who."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from features.canonical import attribute_types, canonical
from features.catalogue import Catalogue
from features.checks import inspect
from features.erased_files import publishing
from features.facts import Tables
from features.history import History, write_history
from features.history.summary import last_summary
from features.identity import Edge, Key, identity_table
from features.live import Live, unreadable_values, with_live
from features.log import Log
from features.log.rekeying import dated_head
from features.segments import Segments, export_log
from features.sources import Raw
from features.unheard import unheard
from leadlight.schema import CONTACTS, Micros
from leadlight.settings import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibis.backends.duckdb import Backend


@dataclass(frozen=True)
class Recorder:
    """What a history is made with: a site's rules, the key of its contacts, the live facts, and the build's number.

    ``segments`` are what is taken in of ``log``, which goes on meanwhile.
    """

    site: Site
    catalogue: Catalogue
    key: Key | None
    log: Log | None
    segments: Segments
    generation: int

    def live(self, connection: Backend) -> Live | None:
        """The live facts as tables of ``connection``, if there are any."""
        return Live.read(self.segments.tail(), connection, self.key) if self.segments.folders else None

    def check(self, raw: Raw, live: Live | None, *, wall: Micros) -> tuple[str, ...]:
        """The notes of the check; ``SiteError`` with all faults of the raw tables."""
        inspection = inspect(raw, self.site, self.catalogue, wall=wall, live=live)
        inspection.require_sound()
        return (*map(str, inspection.notes), *self._unhashed(raw), *(self._unreadable(raw, live) if live else ()))

    def hear(
        self, raw: Raw, live: Live | None, state: Path, *, wall: Micros
    ) -> tuple[Recorder, Live | None, tuple[str, ...]]:
        """What checked files say of what came live first goes into the log; who records then, of which live facts."""
        if live is None or self.log is None:
            return self, live, ()
        recorder, notes, told = self, list[str](), set[str]()
        facts_tell_time, before = self.site.clock.at == "last_fact", last_summary(state)
        while True:  # others write meanwhile: what is recorded is held against the files too
            news = unheard(raw, self.site, self.catalogue, live, self.key).without(told)
            if not news.facts:
                return recorder, live, tuple(notes)
            told |= set(map(repr, news.facts))
            now = max(self.log.look().newest, before.newest_fact if before else 0) + 2 if facts_tell_time else wall
            notes += news.tell(self.log, now=now, facts_tell_time=facts_tell_time)
            head = dated_head(self.site, state, self.log, self.key, wall=wall)
            with publishing(state):
                recorder = replace(self, segments=export_log(self.log, state, through=head))
            live = recorder.live(raw.connection)
            assert live is not None  # noqa: S101 - it has just been told something

    def record(self, raw: Raw, live: Live | None, workshop: Path) -> tuple[History, tuple[str, ...]]:
        """The history of checked raw tables and the live facts, unpublished in ``workshop``, and what to note of it."""
        tables = canonical(raw, self.site, self.catalogue, key=self.key)
        if live is not None:
            tables = with_live(tables, live)
        tables, notes = self._merged(tables, live.edges if live else (), raw.connection)
        numbers = {"generation": self.generation, "log_seq": self.segments.seq}
        return write_history(tables, raw.connection, workshop, **numbers), notes

    def _merged(self, tables: Tables, edges: Sequence[Edge], connection: Backend) -> tuple[Tables, tuple[str, ...]]:
        """``tables`` with their identity, and a note if a merge awaits a reviewer."""
        tables = replace(  # both are read twice
            tables,
            leads=connection.create_table("known_leads", tables.leads),
            contacts=connection.create_table("hashed_contacts", tables.contacts),
        )
        identity, held = identity_table(tables.contacts, tables.leads, edges, self.site.identity)
        words = f"a merge of more than {self.site.identity.people_at_most} leads into one person awaits a reviewer"
        notes = (f"identity: {words} ({len(held):,} such): `leadlight identity held SITE` shows them",) if held else ()
        return replace(tables, identity=connection.create_table("people", identity)), notes

    def _unreadable(self, raw: Raw, live: Live) -> Iterator[str]:
        types = attribute_types(raw.leads, self.catalogue)
        found = unreadable_values(live, (name for name, kind in types.items() if kind == "number"))
        for name, count in found.items():
            words = f"live version{'s have' if count > 1 else ' has'} a text where {name} is a number now"
            yield f"leads: {count:,} {words}: unknown there; send these leads again with numbers"

    def _unhashed(self, raw: Raw) -> Iterator[str]:
        shown = [column for column in CONTACTS if column in raw.leads.columns]
        if self.key is None and shown:
            words = "are only masked, and nobody is recognised as one person, for want of a key"
            yield f"leads: {', '.join(shown)} {words}: `leadlight identity key SITE` makes one"
