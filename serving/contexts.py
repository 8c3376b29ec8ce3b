"""What everybody, and a lead's channel, did until the newest closed day: stored rows, or the day closed on read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from features import context
from features.catalogue import Catalogue, Context
from features.history import History, Value
from features.rows import newest_closed_day
from features.store.door import Store
from leadlight.schema import CLOSED_AT, CONTEXT_KEY, EVERYBODY, Micros
from leadlight.settings import Site

_ROWS_KEPT = 4_096
_DAYS_KEPT = 64


class Contexts:
    """Context columns over one history, which never changes what a closed day says: so each row is read once."""

    def __init__(self, site: Site, catalogue: Catalogue, history: History, store: Store) -> None:
        self._site = site
        self._catalogue = catalogue
        self._history = history
        self._store = store
        self._scopes = {
            column.name: entry.scope
            for entry in catalogue.feature
            if isinstance(entry, Context)
            for column in entry.columns()
        }
        self._row = lru_cache(_ROWS_KEPT)(self._find)
        self._day = lru_cache(_DAYS_KEPT)(self._close)

    def at(self, channel: str, as_of: Micros) -> dict[str, Value]:
        """Every context column for a lead of ``channel`` at ``as_of``; missing where no day is closed yet."""
        if not self._scopes:
            return {}
        day = newest_closed_day(self._site, as_of)
        everybody, own = self._row(EVERYBODY, day), self._row(channel, day)
        return {name: (everybody if scope == "all" else own).get(name) for name, scope in self._scopes.items()}

    def _find(self, key: str, day: int) -> Mapping[str, Value]:
        stored = self._store.read_context([key])[key]
        if stored is not None and stored[CLOSED_AT] == context.closing(self._site, day):
            return stored
        return self._day(day).get(key, {})

    def _close(self, day: int) -> dict[str, dict[str, Value]]:
        with self._history.reading() as tables:
            rows = context.close(self._catalogue, self._site, tables, day, day).to_pyarrow().to_pylist()
        return {row[CONTEXT_KEY]: row for row in rows}
