"""What everybody, and a lead's channel, did until the newest closed day: stored rows, or the day closed on read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import pyarrow as pa

from features import context
from features.catalogue import Catalogue, Context
from features.history import Value
from features.past import Past
from features.rows import newest_closed_day
from features.store import StoreUnavailable
from features.store.door import Store
from leadlight.schema import CLOSED_AT, CONTEXT_KEY, EVERYBODY, Micros
from leadlight.settings import Site

_ROWS_KEPT = 4_096
_DAYS_KEPT = 64


class Contexts:
    """Context columns over one past: what arrives later changes no closed day, so each row is read once."""

    def __init__(self, site: Site, catalogue: Catalogue, past: Past, store: Store) -> None:
        self._site = site
        self._catalogue = catalogue
        self._past = past
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

    def rows(self, day: int) -> pa.Table:
        """The context rows of every key of a closed ``day``."""
        with self._past.reading() as tables:
            return context.close(self._catalogue, self._site, tables, day, day).to_pyarrow()

    def _find(self, key: str, day: int) -> Mapping[str, Value]:
        try:
            stored = self._store.read_context([key])[key]
        except StoreUnavailable:
            stored = None
        if stored is not None and stored[CLOSED_AT] == context.closing(self._site, day):
            return stored
        return self._day(day).get(key, {})

    def _close(self, day: int) -> dict[str, dict[str, Value]]:
        return {row[CONTEXT_KEY]: row for row in self.rows(day).to_pylist()}
