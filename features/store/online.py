"""The online rows of one view: tables go in, rows come out, and nothing of Feast is seen outside."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Literal, cast

import pyarrow as pa
from feast import FeatureView, RepoConfig
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import FeastType, Float64, Int64, String

from features.store.rows import OnlineRow, RowStore, Values, key_prefix
from leadlight.schema import FOREVER, ROW_SEQ, VALID_UNTIL, Micros

Row = dict[str, int | float | str | None]
"""One online row: its time (``as_of`` or ``closed_at``), a lead's ``valid_until`` and ``row_seq``, and every column."""

_WRITTEN_AT_ONCE = 5_000  # bounds memory, and how long another writer waits; a row is never parted
_Kind = Literal["int64_val", "double_val", "string_val"]
_VALUE_FIELDS: dict[FeastType, _Kind] = {Int64: "int64_val", Float64: "double_val", String: "string_val"}
_LENGTH = struct.Struct("<I")


class OnlineView:
    """A view's rows in an online store. All calls may raise ``StoreUnavailable``."""

    def __init__(self, store: RowStore, config: RepoConfig, view: FeatureView, *, time: tuple[str, str]) -> None:
        """``time``: the column of rows' moments as a row says it, and as the view has it."""
        self._store, self._config, self._view, self._time = store, config, view, time
        self._key = view.entity_columns[0].name
        self._prefix = key_prefix(self._key)
        self._types = {field.name: _VALUE_FIELDS[field.dtype] for field in view.features}
        names = {time[1]: time[0]}
        self._columns = [(stored, names.get(stored, stored), kind) for stored, kind in self._types.items()]

    def read(self, ids: Iterable[str]) -> dict[str, Row | None]:
        """The newest row of each; ``None`` if this catalogue has none for it."""
        wanted = list(dict.fromkeys(ids))
        # The store, not get_online_features: the same rows without Feast's resolving of names at every call
        found = self._store.read(self._config, self._view, [self._stored_key(each) for each in wanted])
        return {each: None if values is None else self._row(values) for each, values in zip(wanted, found, strict=True)}

    def write(self, rows: pa.Table) -> None:
        """Write rows: the key, the time (µs), every column, and of a lead ``row_seq`` and ``valid_until`` too."""
        shown, stored = self._time
        for part in rows.append_column(stored, rows[shown]).to_batches(max_chunksize=_WRITTEN_AT_ONCE):
            self._store.write(self._config, self._view, self._encoded(part))

    def delete(self, ids: Iterable[str]) -> None:
        """Take out the rows of ``ids``."""
        self._store.delete(self._config, self._view, [self._stored_key(each) for each in ids])

    def expired(self, before: Micros, limit: int) -> list[str]:
        """Whose ``valid_until`` is ``before`` or earlier; what is valid for ever never expires."""
        keys = self._store.expired(self._config, self._view, min(before, FOREVER - 1), limit)
        return [key[len(self._prefix) + _LENGTH.size :].decode() for key in keys]

    def clear(self) -> None:
        """Take out every row, of other catalogues too."""
        self._store.clear(self._config, self._view)

    def _stored_key(self, each: str) -> bytes:
        """Feast's ``serialize_entity_key`` without its objects."""
        encoded = each.encode()
        return self._prefix + _LENGTH.pack(len(encoded)) + encoded

    def _row(self, values: Values) -> Row:
        row: Row = {}
        for stored, shown, kind in self._columns:
            value = values[stored]
            row[shown] = getattr(value, kind) or _zero(value, kind)
        if VALID_UNTIL in row:
            row[ROW_SEQ] = values[ROW_SEQ].int64_val if ROW_SEQ in values else 0
        return row

    def _encoded(self, rows: pa.RecordBatch) -> list[OnlineRow]:
        types = self._types | ({ROW_SEQ: _VALUE_FIELDS[Int64]} if ROW_SEQ in rows.schema.names else {})
        columns = [_values(rows[name], kind) for name, kind in types.items()]
        return [
            OnlineRow(self._stored_key(key), row_seq or 0, moment, valid_until, dict(zip(types, values, strict=True)))
            for key, row_seq, moment, valid_until, *values in zip(
                rows[self._key].to_pylist(),
                _numbers(rows, ROW_SEQ),
                rows[self._time[1]].to_pylist(),
                _numbers(rows, VALID_UNTIL),
                *columns,
                strict=True,
            )
        ]


def _zero(value: Value, kind: _Kind) -> int | float | str | None:
    """The value of a field that is not true: 0, 0.0, the empty string, or nothing."""
    return cast("int | float | str", getattr(value, kind)) if value.HasField(kind) else None


def _values(column: pa.Array, field: str) -> list[Value]:
    missing = Value()
    return [missing if value is None else Value(**{field: value}) for value in column.to_pylist()]


def _numbers(rows: pa.RecordBatch, name: str) -> list[int | None]:
    return rows[name].to_pylist() if name in rows.schema.names else [None] * len(rows)
