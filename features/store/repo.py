"""Feast's settings for one site: its registry and online store, for this process and in a file for Feast's commands."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from features.store import PROJECT, feast_folder
from features.store.rows import KEY_VERSION
from leadlight.settings import Site
from leadlight.settings.stores import Stores, resolved

REPO_FILE: Final = "feature_store.yaml"

_LONGEST_PROJECT = 36  # PostgreSQL cuts names at 63 signs, and the table of a view has a longer name than its project
_ONLINE = {
    "sqlite": "features.store.online_sqlite.NewestWinsSqliteOnlineStore",
    "postgresql": "features.store.online_postgres.NewestWinsPostgreSQLOnlineStore",
    "redis": "features.store.online_redis.NewestWinsRedisOnlineStore",
}
_KINDS = {"postgresql+psycopg": "postgresql", "rediss": "redis", "unix": "redis"}


def repo_settings(site: Site, state: Path, address: Callable[[str], str] = resolved) -> dict[str, Any]:
    """What Feast calls a repository's configuration; ``address`` says what a server's setting stands for."""
    folder = feast_folder(state)
    return {
        "project": _project(site),
        "provider": "local",
        "registry": _registry(address(site.stores.registry), folder),
        "offline_store": {"type": "duckdb"},
        "online_store": _online(site.stores, address, folder),
        "entity_key_serialization_version": KEY_VERSION,
    }


def write_repo_file(site: Site, state: Path) -> None:
    """Leave the settings in the state folder for Feast's commands, secrets of the environment by their names only."""
    folder = feast_folder(state)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(repo_settings(site, state, _as_feast_expands), indent=2)  # which is YAML, too
    file = os.open(folder / REPO_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # an address may hold a password
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        opened.write(text)


def embedded(stores: Stores) -> bool:
    """Whether everything Feast keeps is in the state folder."""
    return stores.registry == "file" and stores.online == "sqlite"


def _project(site: Site) -> str:
    """Feast's project; on servers it holds sites apart, in a state folder nothing is there to hold apart."""
    if embedded(site.stores):
        return PROJECT
    name = f"{PROJECT}_{site.name}"
    return name if len(name) <= _LONGEST_PROJECT else f"{PROJECT}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _registry(address: str, folder: Path) -> str | dict[str, Any]:
    if address == "file":
        return str(folder / "registry.db")
    return {"registry_type": "sql", "path": re.sub("^postgresql:", "postgresql+psycopg:", address)}


def _online(stores: Stores, address: Callable[[str], str], folder: Path) -> dict[str, Any]:
    where = resolved(stores.online)
    scheme = where.partition("://")[0]
    kind = _KINDS.get(scheme, scheme)
    if kind == "sqlite":
        return {"type": _ONLINE[kind], "path": str(folder / "online.db")}
    return {"type": _ONLINE[kind], "address": address(stores.online), "deadline_ms": stores.deadline_ms}


def _as_feast_expands(server: str) -> str:
    """``env:NAME`` in the words of Feast, which puts the environment into its file when it reads it."""
    return f"${{{server.removeprefix('env:')}}}" if server.startswith("env:") else server
