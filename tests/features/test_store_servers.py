"""Stores that are servers: no call waits past its deadline, a lost server comes back, Feast's commands find them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis
from feast import FeatureStore
from feast.errors import FeatureViewNotFoundException
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import RegistryConfig

from features.store import StoreUnavailable, feast_folder
from features.store.door import Store
from features.store.place import StateRegistryStore
from features.store.repo import REPO_FILE, repo_settings
from leadlight.settings import SiteError
from tests.features.store_builders import (
    CONTEXT_TYPES,
    SPINE_TYPES,
    T0,
    lead_rows,
    table,
    tiny_site,
    tiny_store,
    write_offline,
)
from tests.servers import Server, valkey

DEADLINE_MS = 50
SOON = 1.0
"""Seconds: far above the deadline, for a busy machine, and far below what libraries wait by default."""
PATIENCE = 10.0


@pytest.fixture
def server(valkey_server: Server) -> Iterator[Server]:  # noqa: ARG001 - which skips where there is none
    """A Valkey that a test may stop."""
    with valkey() as own:
        yield own


class Opening:
    """Opens stores for a test, and closes them after it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stores: list[Store] = []

    def unapplied(self, **stores: str | int) -> Store:
        """A store of which Feast knows nothing yet."""
        site, catalogue = tiny_site(self.folder, stores={"deadline_ms": DEADLINE_MS, **stores})
        self._stores.append(Store(site=site, catalogue=catalogue, state=self.folder / "state"))
        return self._stores[-1]

    def applied(self, name: str = "tiny", **stores: str | int) -> Store:
        """A store with one row, of the lead ``a``, and connections that are warm."""
        store = tiny_store(self.folder / name, name=name, stores={"deadline_ms": DEADLINE_MS, **stores})
        self._stores.append(store)
        eventually(lambda: store.write_leads(lead_rows(("a", T0, 1, None, None))))
        return store

    def close(self) -> None:
        """Close all."""
        for store in self._stores:
            store.close()


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[Opening]:
    """Opens stores below the test's folder."""
    own = Opening(tmp_path)
    yield own
    own.close()


def eventually(call: Callable[[], object]) -> None:
    """Call until the store is there."""
    patience = time.monotonic() + PATIENCE
    while True:
        try:
            call()
        except StoreUnavailable:
            if time.monotonic() > patience:
                raise
            time.sleep(0.02)
        else:
            return


def assert_given_up_soon(*calls: Callable[[], object]) -> None:
    """Every call says within its deadline that the store is not available."""
    for call in calls:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            call()
        assert time.monotonic() - began < SOON


def other_backends(watcher: psycopg.Connection) -> list[int]:
    """The processes of the server that serve this database, but for the one that is asked."""
    asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return [pid for (pid,) in watcher.execute(asked)]


def every_call(store: Store) -> list[Callable[[], object]]:
    """The small calls that serving makes."""
    return [
        lambda: store.read_leads(["a"]),
        lambda: store.read_leads(["a", "b"]),
        lambda: store.read_context(["all"]),
        lambda: store.write_leads(lead_rows(("a", T0 + 1, 2, None, None))),
        lambda: store.delete_leads(["b"]),
    ]


def test_a_stopped_valkey_is_given_up_and_found_again(opening: Opening, server: Server) -> None:
    """While it hangs every call, of many threads too, ends at the deadline; when it goes on, so do we."""
    store = opening.applied(online=server.url)

    server.pause()
    try:
        assert_given_up_soon(*every_call(store))
        with ThreadPoolExecutor(40) as pool:
            list(pool.map(lambda _: assert_given_up_soon(lambda: store.read_leads(["a"])), range(80)))
        fresh = opening.unapplied(online=server.url)
        assert_given_up_soon(*every_call(fresh))
    finally:
        server.resume()

    eventually(lambda: store.read_leads(["a"]))
    assert store.read_leads(["a"])["a"] is not None


def test_a_killed_valkey_is_unavailable(opening: Opening, server: Server) -> None:
    """It says so at once."""
    store = opening.applied(online=server.url)

    server.kill()

    assert_given_up_soon(*every_call(store), lambda: store.expired(T0, 1), store.clear)


def test_a_valkey_that_forgot_the_script_is_told_again(opening: Opening, valkey_url: str) -> None:
    """A restart or a flush takes the write's script away; a write then brings it along."""
    store = opening.applied(online=f"{valkey_url}/5")
    redis.Redis.from_url(valkey_url).script_flush()

    store.write_leads(lead_rows(("a", T0 + 1, 2, None, None)))

    assert (store.read_leads(["a"])["a"] or {})["views"] == 2


def test_a_stopped_postgresql_is_given_up_and_found_again(opening: Opening, postgres_database: str) -> None:
    """A server process that hangs is left at the deadline, and the next call is not answered with its late answer."""
    store = opening.applied(online=postgres_database, deadline_ms=200)
    with psycopg.connect(postgres_database, autocommit=True) as watcher:
        backends = other_backends(watcher)
        for backend in backends:
            os.kill(backend, signal.SIGSTOP)
        try:
            assert_given_up_soon(lambda: store.read_leads(["nobody"]))
            eventually(lambda: store.read_leads(["a"]))  # through another connection
        finally:
            for backend in backends:
                os.kill(backend, signal.SIGCONT)

    assert (store.read_leads(["a"])["a"] or {})["views"] == 1


def test_a_locked_table_is_given_up(opening: Opening, postgres_database: str) -> None:
    """A statement that has to wait for others is ended, in the server too."""
    store = opening.applied(online=postgres_database)
    with psycopg.connect(postgres_database) as other:
        (table_name,) = (
            other.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE '%lead\\_row%'").fetchone() or ()
        )
        other.execute(f'LOCK TABLE "{table_name}"'.encode())
        assert_given_up_soon(*(call for n, call in enumerate(every_call(store)) if n != 2))
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        patience = time.monotonic() + PATIENCE
        while other.execute(waiting).fetchone() != (0,):
            assert time.monotonic() < patience
            other.execute("SELECT pg_stat_clear_snapshot()")

    eventually(lambda: store.read_leads(["a"]))


def test_a_lost_connection_to_postgresql_is_replaced(opening: Opening, postgres_database: str) -> None:
    """A server that ended its connections, as at a restart, is asked through new ones, and no call notices."""
    store = opening.applied(online=postgres_database, deadline_ms=5_000)
    with psycopg.connect(postgres_database, autocommit=True) as other:
        for backend in other_backends(other):
            other.execute("SELECT pg_terminate_backend(%s, 10000)", (backend,))

    assert (store.read_leads(["a"])["a"] or {})["views"] == 1


@pytest.mark.parametrize("online", ["redis://127.0.0.1:1", "postgresql://nobody@127.0.0.1:1/none"])
def test_a_server_that_is_not_there_is_unavailable(opening: Opening, online: str) -> None:
    """The store opens without it, and every call says so."""
    store = opening.unapplied(online=online)

    assert_given_up_soon(*every_call(store))


def test_an_embedded_store_that_was_never_built_is_unavailable(opening: Opening) -> None:
    """There is no file yet: the same word as for a server that is away."""
    store = opening.unapplied()

    assert_given_up_soon(*every_call(store))


def test_feasts_own_redis_store_reads_our_rows(opening: Opening, valkey_url: str) -> None:
    """The layout is Feast's, in a project of the catalogue's: its unchanged store finds the same values."""
    store = opening.applied(online=f"{valkey_url}/6")
    store.write_leads(lead_rows(("a", T0 + 1, 7, 0.5, "小红书")))
    view = store._definitions.lead
    plain = RedisOnlineStoreConfig(connection_string=f"{valkey_url.removeprefix('redis://')},db=6")
    project = f"{store._feast.config.project}_{view.tags['catalogue']}"
    config = store._feast.config.model_copy(update={"project": project, "online_config": plain})
    config._online_store = plain  # type: ignore[assignment]  # Feast fills it in later
    key = EntityKey(join_keys=["lead_id"], entity_values=[Value(string_val="a")])

    [(moment, values)] = RedisOnlineStore().online_read(config, view, [key], ["views", "spent", "channel"])

    assert moment is not None
    assert round(moment.timestamp() * 1e6) == T0 + 1
    assert values == {
        "views": Value(int64_val=7),
        "spent": Value(double_val=0.5),
        "channel": Value(string_val="小红书"),
    }


def test_a_registry_in_postgresql_serves_training_and_feasts_commands(
    opening: Opening, postgres_database: str, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a build leaves for Feast's commands names the same registry and rows, and a password by its name only."""
    monkeypatch.setenv("FEAST_REGISTRY", postgres_database)
    store = opening.applied(online=f"{valkey_url}/4", registry="env:FEAST_REGISTRY")
    state = store._state
    write_offline(state, leads=lead_rows(("a", T0, 3, 0.5, "sem")), context=table(CONTEXT_TYPES, ("all", T0, 7, None)))
    store.write_leads(lead_rows(("a", T0 + 1, 4, 0.5, "sem")))

    rows = store.training_rows(target="sale", spine=table(SPINE_TYPES, ("a", T0, "sem", 1)))
    file = feast_folder(state) / REPO_FILE
    by_file = FeatureStore(repo_path=str(state), fs_yaml_file=file)
    answer = by_file.get_online_features(features=["lead:views"], entity_rows=[{"lead_id": "a"}]).to_dict()

    assert rows.select(["views", "crowd_7d"]).to_pylist() == [{"views": 3, "crowd_7d": 7}]
    assert answer["views"] == [4]
    text = file.read_text(encoding="utf-8")
    assert "${FEAST_REGISTRY}" in text
    assert postgres_database.partition("://")[2] not in text
    assert file.stat().st_mode & 0o077 == 0
    assert not (feast_folder(state) / "registry.db").exists()
    by_file.registry.write_engine.dispose()  # type: ignore[attr-defined]  # a SqlRegistry


def test_two_sites_on_one_server_do_not_meet(opening: Opening, postgres_database: str) -> None:
    """Each has a Feast project of its own, in the registry and among the online rows."""
    names = ("one", "a_site_with_a_name_longer_than_most_names_are")
    one, other = (opening.applied(name, online=postgres_database, registry=postgres_database) for name in names)

    other.clear()

    assert one.read_leads(["a"])["a"] is not None
    assert other.read_leads(["a"])["a"] is None
    assert len({store._feast.config.project for store in (one, other)}) == 2
    one._feast.delete_feature_view("lead")
    with pytest.raises(FeatureViewNotFoundException):
        one._feast.get_feature_view("lead")
    assert other._feast.get_feature_view("lead").name == "lead"


def test_the_committed_settings_are_for_embedded_stores_only(
    tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``feast apply`` in feature_repo never fills a registry that the site does not use: it says which file to give."""
    site, _ = tiny_site(tmp_path, stores={"online": valkey_url})
    monkeypatch.setenv("LEADLIGHT_SITE", str(tmp_path))

    with pytest.raises(SiteError, match=rf"leadlight build .*-f .*{REPO_FILE}"):
        StateRegistryStore(RegistryConfig(path="registry.db"), tmp_path)

    assert repo_settings(site, tmp_path / "state")["project"] == "leadlight_tiny"
