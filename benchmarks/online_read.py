"""How fast a lead's online row is read, by hand, through the door and through Feast; writes results/online_read.md.

By hand is the cheapest read there is of the same bytes: the key is ready, one command, every value decoded by its known
type. Starts a PostgreSQL and a Valkey of its own.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import psycopg
import pyarrow as pa
import redis
from feast.infra.online_stores.helpers import _mmh3
from feast.protos.feast.types.Value_pb2 import Map, Value

from benchmarks.report import parser, table, tell
from features.store.door import Store
from features.store.rows import Values, table_name
from leadlight.schema import FOREVER
from tests.features.store_builders import T0, tiny_store
from tests.servers import postgres, valkey

FEATURES = 40
LEADS = 2_000
MANY = 200
ROUNDS = 30

Kinds = Mapping[str, Literal["int64_val", "double_val", "string_val"]]
Read = Callable[[list[str]], object]


def main(date: str) -> None:
    """Measure every store in turn, print the table and write it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {
            "SQLite": "sqlite",
            "Valkey": stack.enter_context(valkey()).url,
            "PostgreSQL": stack.enter_context(postgres()).url,
        }
        rows = [row for name, online in servers.items() for row in _measured(name, folder / name, online)]
    columns = ("store", "leads", "by hand µs", "door µs", "Feast µs", "door ÷ by hand", "Feast ÷ door")
    tell("online_read", f"One lead's row of {FEATURES} features", date, table(columns, rows))


def _measured(name: str, folder: Path, online: str) -> list[list[object]]:
    store = tiny_store(folder, _features(), stores={"online": online, "deadline_ms": 10_000})
    store.write_leads(_rows(store))
    by_hand = {"SQLite": _by_hand_sqlite, "Valkey": _by_hand_valkey, "PostgreSQL": _by_hand_postgresql}[name]
    reads: list[Read] = [by_hand(store, online), store.read_leads, _by_feast(store)]
    rows: list[list[object]] = []
    for leads, times in ((1, 100), (MANY, 3)):
        hand, door, feast = _medians(reads, leads, times)
        micros = (f"{each:.0f}" for each in (hand, door, feast))
        rows.append([name, leads, *micros, f"{door / hand:.2f}", f"{feast / door:.1f}"])
    store.close()
    return rows


def _medians(reads: list[Read], leads: int, times: int) -> list[float]:
    """Median µs of one call of each; they take turns, so that a busy moment meets them all."""
    ids = [[f"L{(number * leads + n) % LEADS}" for n in range(leads)] for number in range(times)]
    seconds: list[list[float]] = [[] for _ in reads]
    for _ in range(ROUNDS):
        for read, taken in zip(reads, seconds, strict=True):
            started = time.perf_counter()
            for each in ids:
                read(each)
            taken.append((time.perf_counter() - started) / times)
    return [statistics.median(taken) * 1e6 for taken in seconds]


def _by_hand_sqlite(store: Store, _: str) -> Read:
    connection = sqlite3.connect(store._feast.config.online_store.path)  # noqa: SLF001 - the same bytes
    kinds, keys = _kinds(store), _keys(store)
    select = f'SELECT features FROM "{_table(store)}" WHERE entity_key = ?'

    def read(ids: list[str]) -> object:
        return [_decoded(Map.FromString(connection.execute(select, (keys[i],)).fetchone()[0]).val, kinds) for i in ids]

    return read


def _by_hand_postgresql(store: Store, online: str) -> Read:
    cursor = psycopg.connect(online, autocommit=True).cursor(binary=True)
    kinds, keys = _kinds(store), _keys(store)
    select = f'SELECT features FROM "{_table(store)}" WHERE entity_key = ANY(%b)'.encode()

    def read(ids: list[str]) -> object:
        found = cursor.execute(select, ([keys[i] for i in ids],), prepare=True).fetchall()
        return [_decoded(Map.FromString(features).val, kinds) for (features,) in found]

    return read


def _by_hand_valkey(store: Store, online: str) -> Read:
    client: Any = redis.Redis.from_url(online)  # whose types want str for keys
    project = f"{store._feast.config.project}_{_table(store)[-8:]}".encode()  # noqa: SLF001 - the same bytes
    keys = {lead_id: key + project for lead_id, key in _keys(store).items()}
    names = {_mmh3(f"lead:{name}"): (name, kind) for name, kind in _kinds(store).items()}

    def decoded(row: dict[bytes, bytes]) -> object:
        out = {}
        for field, cell in row.items():
            if field in names:
                name, kind = names[field]
                value = Value.FromString(cell)
                out[name] = getattr(value, kind) or (0 if value.HasField(kind) else None)
        return out

    def read(ids: list[str]) -> object:
        if len(ids) == 1:
            return decoded(client.hgetall(keys[ids[0]]))
        with client.pipeline(transaction=False) as pipe:
            for each in ids:
                pipe.hgetall(keys[each])
            return [decoded(row) for row in pipe.execute()]

    return read


def _by_feast(store: Store) -> Read:
    service = store._definitions.services["sale"]  # noqa: SLF001 - Feast's own way, for comparison

    def read(ids: list[str]) -> object:
        asked = [{"lead_id": each, "channel": "sem", "everybody": "all"} for each in ids]
        return store._feast.get_online_features(features=service, entity_rows=asked).to_dict()  # noqa: SLF001

    return read


def _decoded(values: Values, kinds: Kinds) -> object:
    out = {}
    for name, kind in kinds.items():
        value = values[name]
        out[name] = getattr(value, kind) or (0 if value.HasField(kind) else None)
    return out


def _kinds(store: Store) -> Kinds:
    return store._leads._types | {"row_seq": "int64_val"}  # noqa: SLF001 - the same columns


def _keys(store: Store) -> dict[str, bytes]:
    return {f"L{n}": store._leads._stored_key(f"L{n}") for n in range(LEADS)}  # noqa: SLF001 - the same keys


def _table(store: Store) -> str:
    return table_name(store._feast.config, store._definitions.lead)  # noqa: SLF001 - the same bytes


def _features() -> str:
    entry = '[[feature]]\nname = "{name}"\nkind = "{kind}"\nevents = ["{event}"]\nzh = "{name}"\nen = "{name}"\n'
    kinds = [("count", "view"), ("sum", "buy")]
    return "".join(
        entry.format(name=f"feature_number_{n}", kind=kinds[n % 2][0], event=kinds[n % 2][1]) for n in range(FEATURES)
    )


def _rows(store: Store) -> pa.Table:
    """A number in every column, and nothing in one of seven."""
    types = {"int64_val": pa.int64(), "double_val": pa.float64()}
    names = {name: kind for name, kind in _kinds(store).items() if name.startswith("feature_")}
    columns = {
        name: pa.array([None if (n + m) % 7 == 0 else n * m for n in range(LEADS)], types[kind])
        for m, (name, kind) in enumerate(names.items())
    }
    own = {"lead_id": [f"L{n}" for n in range(LEADS)], "as_of": [T0] * LEADS, "valid_until": [FOREVER] * LEADS}
    return pa.table({**own, **columns})


if __name__ == "__main__":
    main(parser().parse_args().date)
