"""API keys: made, kept as hashes, listed and revoked. A key itself is seen once, by whoever makes it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from leadlight.database import open_database, read, writing
from leadlight.schema import Micros
from leadlight.settings import Site, SiteError

if TYPE_CHECKING:
    from sqlalchemy import Engine

Scope = Literal["crm", "sales", "scientist", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
NAME_AT_MOST = 100
_BYTES = 32
_READ = "SELECT hash, id, name, scope, created_at, revoked_at FROM api_keys ORDER BY created_at, id"


@dataclass(frozen=True)
class Key:
    """What is known of an API key: everything but the key."""

    id: str
    name: str
    scope: Scope
    created_at: Micros
    revoked_at: Micros | None = None


class Keys:
    """The API keys of a site, in its database. Every method may raise ``DatabaseUnavailable``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, name: str, scope: Scope, *, at: Micros) -> tuple[Key, str]:
        """A new key and its text, which cannot be had again; ``SiteError`` if a valid key has this name."""
        from leadlight.database.tables import API_KEYS

        if not (name.isprintable() and 1 <= len(name.strip()) <= NAME_AT_MOST):
            raise SiteError([f"--name {name!r}: give 1 to {NAME_AT_MOST} printable characters"])
        key, text = Key(secrets.token_hex(4), name.strip(), scope, at), f"leadlight_{secrets.token_urlsafe(_BYTES)}"
        with writing(self._engine) as connection:
            same = API_KEYS.select().where(API_KEYS.c.name == key.name, API_KEYS.c.revoked_at.is_(None))
            if connection.execute(same).first() is not None:
                raise SiteError(
                    [f"--name {key.name}: a valid key has this name; revoke it first, or take another name"]
                )
            connection.execute(API_KEYS.insert().values(**vars(key), hash=hash_of(text)))
        return key, text

    def all(self) -> list[Key]:
        """Every key ever made, the oldest first."""
        return [key for _, key in self.hashes()]

    def hashes(self) -> list[tuple[str, Key]]:
        """Every key ever made, the oldest first, each after the hash of its text."""
        return [(digest, Key(*row)) for digest, *row in read(self._engine, _READ)]

    def revoke(self, which: str, *, at: Micros) -> Key:
        """Revoke the valid key with this id or name; ``SiteError`` if there is none."""
        from leadlight.database.tables import API_KEYS

        found = [key for key in self.all() if key.revoked_at is None and which in {key.id, key.name}]
        if not found:
            names = ", ".join(key.name for key in self.all() if key.revoked_at is None) or "none"
            raise SiteError([f"{which}: no valid key has this id or name; valid are: {names}"])
        with writing(self._engine) as connection:
            chosen = API_KEYS.c.id.in_([key.id for key in found])
            connection.execute(API_KEYS.update().where(chosen, API_KEYS.c.revoked_at.is_(None)).values(revoked_at=at))
        return replace(found[0], revoked_at=at)


def has_keys(site: Site, state: Path) -> bool:
    """Whether the site has a valid key."""
    return any(key.revoked_at is None for key in Keys(open_database(site, state)).all())


def hash_of(text: str) -> str:
    """How a key is kept.

    One round of SHA-256 without salt is enough, unlike for passwords: a key is 256 random bits, so nobody can guess it
    from its hash however quick hashing is, and no two are equal.
    """
    return hashlib.sha256(text.encode()).hexdigest()
