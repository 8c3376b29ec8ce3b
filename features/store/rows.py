"""What every online store keeps of a row, whatever its layout: a key, the numbers that order rows, and the values."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

from feast import FeatureView
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.helpers import compute_table_id
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Map, Value, ValueType
from feast.repo_config import RepoConfig
from feast.utils import to_naive_utc

from features.store.definitions import CATALOGUE_TAG, CONTEXT, LEAD
from leadlight.schema import ROW_AS_OF, ROW_CLOSED_AT, ROW_SEQ, VALID_UNTIL, Micros, from_micros, to_micros

Values = Mapping[str, Value]
"""What a row says, by column."""
FeastRow = tuple[EntityKey, dict[str, Value], dt.datetime, dt.datetime | None]
"""A row as Feast hands it to a store: key, values by name, event time, time of creation."""
FeastAnswer = tuple[dt.datetime | None, dict[str, Value] | None]
"""A row as Feast wants it back."""

KEY_VERSION = 3
"""Feast's version of the bytes of a key."""
BULK = 500
"""A write of more rows is a build's: it may take ``BULK_SECONDS``, not a store's deadline for one call."""
BULK_SECONDS = 30.0

_EVENT_TIMES = {LEAD.name: ROW_AS_OF, CONTEXT.name: ROW_CLOSED_AT}


class OnlineRow(NamedTuple):
    """A row to be written; it replaces a stored one unless its (``row_seq``, ``as_of``) is the lesser."""

    key: bytes
    row_seq: int
    as_of: Micros
    valid_until: Micros | None
    values: Values


class RowStore(Protocol):
    """What the door asks of an online store beside Feast's interface. Every failure is a ``StoreUnavailable``."""

    def write(self, config: RepoConfig, view: FeatureView, rows: Sequence[OnlineRow]) -> None:
        """Write rows, each whole or not at all; one that is older than the stored row changes nothing."""

    def read(self, config: RepoConfig, view: FeatureView, keys: Sequence[bytes]) -> Iterator[Values | None]:
        """The values of each key's row, an empty one for what was not written; ``None`` where there is no row.

        All is read when the call returns, but decoded one by one: rows that are not kept cost no memory.
        """

    def delete(self, config: RepoConfig, view: FeatureView, keys: Sequence[bytes]) -> None:
        """Take out the rows of ``keys``; one without a row is passed over."""

    def expired(self, config: RepoConfig, view: FeatureView, before: Micros, limit: int) -> list[bytes]:
        """Up to ``limit`` keys of rows whose ``valid_until`` is ``before`` or earlier, the longest expired first."""

    def clear(self, config: RepoConfig, view: FeatureView) -> None:
        """Take out every row of a view, whatever its catalogue: one still served shall not say old facts."""

    def connect(self, config: RepoConfig) -> None:
        """Connect, where that takes longer than a call may."""

    def disconnect(self) -> None:
        """Give up all connections."""


class FeastWrites:
    """Feast's way into a ``RowStore``."""

    def online_write_batch(
        self: RowStore,
        config: RepoConfig,
        table: FeatureView,
        data: list[FeastRow],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write Feast's rows; one that does not say its ``row_seq`` has read nothing of the log."""
        self.write(config, table, [_online_row(*row) for row in data])
        if progress:
            progress(len(data))


class OneCellReads:
    """Feast's way out of a ``RowStore`` that keeps all values of a key in one cell, unlike Feast."""

    def online_read(
        self: RowStore,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,  # noqa: ARG002 - a row is read whole
    ) -> list[FeastAnswer]:
        """Each key's row as it was written, or ``(None, None)``."""
        found = self.read(config, table, [serialize_entity_key(key, KEY_VERSION) for key in entity_keys])
        time = _EVENT_TIMES[table.name]
        return [(None, None) if row is None else (from_micros(row[time].int64_val), dict(row)) for row in found]


def table_name(config: RepoConfig, view: FeatureView) -> str:
    """Where the rows of one catalogue are: after a change of it, a server still on the old one keeps its own."""
    return f"{table_prefix(config, view)}{view.tags[CATALOGUE_TAG]}"


def table_prefix(config: RepoConfig, view: FeatureView) -> str:
    """What the names of a view's tables begin with, whatever the catalogue."""
    return f"{compute_table_id(config.project, view)}_row_"


def cell(values: Values) -> bytes:
    """All values of a row as one."""
    return cast("bytes", Map(val=values).SerializeToString())


def cell_values(features: bytes) -> Values:
    """The values ``cell`` was made of."""
    return cast("Values", Map.FromString(features).val)


def key_prefix(join_key: str) -> bytes:
    """What the bytes of every key of ``join_key`` begin with, as Feast serialises them."""
    name = join_key.encode()
    return struct.pack("<III", 1, ValueType.STRING, len(name)) + name + struct.pack("<I", ValueType.STRING)


def _online_row(key: EntityKey, values: dict[str, Value], moment: dt.datetime, _: dt.datetime | None) -> OnlineRow:
    return OnlineRow(
        serialize_entity_key(key, KEY_VERSION),
        values[ROW_SEQ].int64_val if ROW_SEQ in values else 0,
        to_micros(to_naive_utc(moment).replace(tzinfo=dt.UTC)),
        values[VALID_UNTIL].int64_val if VALID_UNTIL in values else None,
        values,
    )
