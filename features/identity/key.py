"""The key that contacts are hashed with: a chain of secrets, to which a rotation adds a link."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadlight.settings import Site, SiteError, UsageError

VARIABLE = "LEADLIGHT_IDENTITY_KEY"
LEAST_SIGNS = 32
_NAME_LENGTH = 8


@dataclass(frozen=True)
class Key:
    """The secrets in the order they were added; a contact is hashed under each in turn."""

    links: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """What stands before each hash, so that one made under fewer links, or under another key, is seen."""
        return self._names()[-1]

    def since(self, name: str) -> tuple[bytes, ...]:
        """The links added after the one of this name; a name that this key never had is a ``SiteError``."""
        names = self._names()
        if name not in names:
            given = ", ".join(names)
            fault = f"identity: contacts are stored under key {name}, the key given has {given}: restore the old key"
            raise SiteError([fault])
        return self.links[names.index(name) + 1 :]

    def extended(self, link: bytes) -> Key:
        return Key((*self.links, link))

    def _names(self) -> list[str]:
        """A name tells whether two keys are equal, and nothing else of them."""
        chain, names = b"leadlight identity key", []
        for link in self.links:
            chain = hmac.digest(link, chain, "sha256")
            names.append(chain.hex()[:_NAME_LENGTH])
        return names

    def __repr__(self) -> str:
        return f"Key({', '.join(self._names())})"


def identity_key(site: Site, state: Path, environment: Mapping[str, str]) -> Key | None:
    """The site's key, from the environment or else its file; made-up sites draw one themselves; else ``None``.

    Without a key contacts are masked for display and nothing is hashed.
    """
    if environment.get(VARIABLE):
        return _key(environment[VARIABLE].split(","), VARIABLE)
    path = key_file(state)
    if path.exists():
        return _read(path)
    return make_key(state) if site.site.made else None


def needed_key(site: Site, state: Path, environment: Mapping[str, str]) -> Key:
    """The site's key; a site without one is told how to come by it."""
    key = identity_key(site, state, environment)
    if key is None:
        ways = f"run `leadlight identity key {site.folder}`, or set {VARIABLE} ({LEAST_SIGNS} signs or more)"
        raise UsageError([f"{site.folder.name}: without a key contacts are only masked, never compared: {ways}"])
    return key


def key_file(state: Path) -> Path:
    return state / "keys" / "identity.key"


def make_key(state: Path) -> Key:
    """The key in the site's file, drawn at random if there is none yet; readable by its owner alone."""
    path = key_file(state)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        whole = _written(path, [secrets.token_urlsafe(LEAST_SIGNS)])
        try:
            os.link(whole, path)  # unlike a rename, it leaves a key that another process drew first
        except FileExistsError:
            pass
        finally:
            whole.unlink()
    return _read(path)


def add_link(state: Path) -> Key:
    """A new secret added to the key in the site's file."""
    path = key_file(state)
    links = [*path.read_text(encoding="ascii").split(), secrets.token_urlsafe(LEAST_SIGNS)]
    _written(path, links).replace(path)
    return _read(path)


def _written(path: Path, links: list[str]) -> Path:
    """A whole file beside ``path``, to take its place at once."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write("\n".join(links) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def _read(path: Path) -> Key:
    if path.stat().st_mode & 0o077:
        raise SiteError([f"{path} can be read by others than its owner: chmod 600 it, and think about a rotation"])
    return _key(path.read_text(encoding="utf-8").split(), str(path))


def _key(links: list[str], where: str) -> Key:
    links = [link.strip() for link in links]
    if not links or any(len(link) < LEAST_SIGNS or re.search(r"\s", link) for link in links):
        raise SiteError(
            [f"{where}: each key in it needs {LEAST_SIGNS} signs or more without blanks: draw them at random"]
        )
    if len(set(links)) < len(links):
        raise SiteError([f"{where}: a key stands in it twice: each rotation needs a new one"])
    return Key(tuple(link.encode() for link in links))
