"""Redis or Valkey for online rows: Feast's store and layout, in which the newest row wins and no call waits long."""

from __future__ import annotations

import hashlib
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from feast import Entity, FeatureView, RepoConfig
from feast.infra.online_stores.helpers import _mmh3
from feast.infra.online_stores.online_store import OnlineStore
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from feast.infra.supported_async_methods import SupportedAsyncMethods
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]  # no stubs among ours
from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from features.store import StoreUnavailable
from features.store.definitions import CATALOGUE_TAG
from features.store.rows import BULK, BULK_SECONDS, FeastAnswer, FeastWrites, OnlineRow, Values, key_prefix
from leadlight.schema import FOREVER, ROW_SEQ, SECOND, Micros

_CONNECTIONS = 16  # a process and kind of call; more callers at once wait for one, within their deadline
_ORDER = b"_order"  # the field with what orders rows; Feast's own fields are 4 bytes long, or begin with _ts:
_ENDS = b"valid_until"  # in place of a lead in a key; no lead's key has these bytes: they would be its length
_SCANNED_AT_ONCE = 10_000
_ANY_TAG = b"?" * 8

_WRITE = """
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored then
  local old, new = {struct.unpack('>i4I4i4I4', stored)}, {struct.unpack('>i4I4i4I4', ARGV[2])}
  for i = 1, 4 do
    if new[i] > old[i] then break end
    if new[i] < old[i] then return 0 end
  end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], unpack(ARGV, 4))
if ARGV[3] == '' then redis.call('ZREM', KEYS[2], KEYS[1]) else redis.call('ZADD', KEYS[2], ARGV[3], KEYS[1]) end
return 1
"""
"""One row into its hash, its end into the sorted set of ends: the field and value of the order, the end, the fields.

The two int64 of the order are compared in halves of 32 bits, as Lua's numbers are doubles.
"""
_WRITE_SHA = hashlib.sha1(_WRITE.encode(), usedforsecurity=False).hexdigest()


class NewestWinsRedisOnlineStoreConfig(RedisOnlineStoreConfig):
    """A URL in place of Feast's own words for one, and how long one call may take."""

    type: str = "features.store.online_redis.NewestWinsRedisOnlineStore"  # type: ignore[assignment]  # Feast's is a Literal of its own
    address: str
    deadline_ms: int


class NewestWinsRedisOnlineStore(FeastWrites, RedisOnlineStore):
    """Feast's store: a hash per key with a field per feature, here written whole by a script that holds the guard.

    Each catalogue is a Feast project of its own, as the views of two catalogues have the same names. A sorted set for
    each says when rows end.
    """

    def __init__(self) -> None:
        self._making = threading.Lock()
        self._clients: dict[bool, Redis] = {}
        self._names: dict[str, dict[bytes, str]] = {}

    @property
    def async_supported(self) -> SupportedAsyncMethods:
        """None: Feast's own would look in its own project."""
        return SupportedAsyncMethods()

    def update(  # noqa: PLR0917 - Feast's interface
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],  # noqa: ARG002
        entities_to_delete: Sequence[Entity],  # noqa: ARG002
        entities_to_keep: Sequence[Entity],  # noqa: ARG002
        partial: bool,  # noqa: ARG002, FBT001
    ) -> None:
        """Take out the rows of deleted views; a new one needs no room made."""
        for view in tables_to_delete:
            self.clear(config, view)

    def teardown(self, config: RepoConfig, tables: Sequence[FeatureView], entities: Sequence[Entity]) -> None:
        """Take out the rows of ``tables``."""
        self.update(config, tables, [], entities, [], partial=False)

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[FeastAnswer]:
        """Feast's own reading, in the catalogue's project; the list is copied, for Feast appends to it."""
        own = config.model_copy(update={"project": _project(config, table)})
        with self._connected(config):
            return super().online_read(own, table, entity_keys, list(requested_features or ()))

    _read_features_per_fv = OnlineStore._read_features_per_fv  # noqa: SLF001 - that of Feast's Redis passes by online_read

    def write(self, config: RepoConfig, view: FeatureView, rows: Sequence[OnlineRow]) -> None:
        """Write rows in one round trip, each by the script; one that is older than the stored row changes nothing."""
        own, ends = _project(config, view).encode(), _ends(config, view)
        fields = {name: field for field, name in self._fields(view).items()}
        calls = [
            (
                row.key + own,
                ends,
                _ORDER,
                struct.pack(">qq", row.row_seq, row.as_of),
                _end(row),
                *_hash(view, fields, row),
            )
            for row in rows
        ]
        with self._connected(config, bulk=len(rows) > BULK) as client:
            try:
                _write(client, calls)
            except NoScriptError:
                client.script_load(_WRITE)
                _write(client, calls)

    def read(self, config: RepoConfig, view: FeatureView, keys: Sequence[bytes]) -> Iterator[Values | None]:
        """Each key's values, or ``None``; one command a key, so no row is torn, and one round trip for all."""
        own, names = _project(config, view).encode(), self._fields(view)
        with self._connected(config) as client:
            found = _hashes(client, [key + own for key in keys])
        return (
            defaultdict(Value, {names[field]: Value.FromString(cell) for field, cell in row.items() if field in names})
            if row
            else None
            for row in found
        )

    def delete(self, config: RepoConfig, view: FeatureView, keys: Sequence[bytes]) -> None:
        """Take out the rows of ``keys``."""
        own = _project(config, view).encode()
        if rows := [key + own for key in keys]:
            with self._connected(config, bulk=len(rows) > BULK) as client, client.pipeline() as pipe:
                pipe.delete(*rows)
                pipe.zrem(_ends(config, view), *rows)
                pipe.execute()

    def expired(self, config: RepoConfig, view: FeatureView, before: Micros, limit: int) -> list[bytes]:
        """Up to ``limit`` keys of rows whose ``valid_until`` is ``before`` or earlier, the longest expired first."""
        with self._connected(config, bulk=True) as client:
            rows = cast("list[bytes]", client.zrangebyscore(_ends(config, view), "-inf", before, start=0, num=limit))
        return [row.removesuffix(_project(config, view).encode()) for row in rows]

    def clear(self, config: RepoConfig, view: FeatureView) -> None:
        """Take out every row of a view, whatever its catalogue: one still served shall not say old facts."""
        pattern = key_prefix(view.entity_columns[0].name) + b"*" + f"{config.project}_".encode() + _ANY_TAG
        with self._connected(config, bulk=True) as client:
            cursor = None
            while cursor != 0:
                cursor, rows = cast(
                    "tuple[int, list[bytes]]", client.scan(cursor or 0, match=pattern, count=_SCANNED_AT_ONCE)
                )
                if rows:
                    client.unlink(*rows)

    def connect(self, config: RepoConfig) -> None:
        """Nothing: connections are made within a call's deadline."""

    def disconnect(self) -> None:
        """Close the clients; a later call makes others."""
        with self._making:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    @contextmanager
    def _connected(self, config: RepoConfig, *, bulk: bool = False) -> Iterator[Redis]:
        """The client for one call of the store's deadline, or of a build's."""
        try:
            yield self._redis(config.online_store, bulk=bulk)
        except RedisError as error:
            raise StoreUnavailable(f"Redis: {error}") from error

    def _get_client(self, online_store_config: RedisOnlineStoreConfig) -> Redis:
        """What Feast's own methods use."""
        return self._redis(cast("NewestWinsRedisOnlineStoreConfig", online_store_config), bulk=False)

    def _redis(self, stores: NewestWinsRedisOnlineStoreConfig, *, bulk: bool) -> Redis:
        with self._making:
            if bulk not in self._clients:
                seconds = BULK_SECONDS if bulk else stores.deadline_ms / 1000
                pool = BlockingConnectionPool.from_url(
                    stores.address,
                    max_connections=_CONNECTIONS,
                    timeout=seconds,
                    socket_timeout=seconds,
                    socket_connect_timeout=seconds,
                    retry=Retry(NoBackoff(), 0),  # some of redis-py's own go on for seconds
                )
                self._clients[bulk] = Redis.from_pool(pool)  # closes the pool with it
            return self._clients[bulk]

    def _fields(self, view: FeatureView) -> dict[bytes, str]:
        """The name of each of Feast's fields in a row's hash."""
        own = f"{view.name}_{view.tags[CATALOGUE_TAG]}"
        if own not in self._names:
            names = [ROW_SEQ, *(field.name for field in view.features)]
            self._names[own] = {_mmh3(f"{view.name}:{name}"): name for name in names}
        return self._names[own]


def _project(config: RepoConfig, view: FeatureView) -> str:
    return f"{config.project}_{view.tags[CATALOGUE_TAG]}"


def _ends(config: RepoConfig, view: FeatureView) -> bytes:
    """The sorted set of the ends of a catalogue's rows; named so that ``clear`` finds it among them."""
    return key_prefix(view.entity_columns[0].name) + _ENDS + _project(config, view).encode()


def _end(row: OnlineRow) -> str:
    return "" if row.valid_until is None or row.valid_until >= FOREVER else str(row.valid_until)


def _hash(view: FeatureView, fields: Mapping[str, bytes], row: OnlineRow) -> Iterator[bytes]:
    """Feast's fields and values, one after the other."""
    event_time = Timestamp(seconds=row.as_of // SECOND, nanos=row.as_of % SECOND * 1000)
    yield from (f"_ts:{view.name}".encode(), event_time.SerializeToString())
    for name, value in row.values.items():
        yield from (fields[name], value.SerializeToString())


def _write(client: Redis, calls: Sequence[tuple[Any, ...]]) -> None:
    with client.pipeline(transaction=False) as pipe:
        for call in calls:
            pipe.evalsha(_WRITE_SHA, 2, *call)
        pipe.execute()


def _hashes(client: Redis, keys: Sequence[bytes]) -> list[dict[bytes, bytes]]:
    if len(keys) == 1:  # a pipeline costs some microseconds
        return [cast("dict[bytes, bytes]", client.hgetall(cast("str", keys[0])))]
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hgetall(cast("str", key))  # bytes do as well
        return pipe.execute()
