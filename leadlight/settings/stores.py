"""Where live facts, online rows and Feast's registry are kept: embedded by default, servers by configuration."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from leadlight.settings.parts import Part, SiteError

_REFERENCE = re.compile(r"env:([A-Z][A-Z0-9_]*)")


def _server(text: str) -> str:
    allowed = ("postgresql://", "postgresql+psycopg://", "redis://", "rediss://", "unix://", "sqlite", "file", "env:")
    if not text.startswith(allowed):
        message = f"a store is 'sqlite' or 'file' (embedded), or an address that begins with {', '.join(allowed[:5])}"
        raise ValueError(message + ", or env:NAME for one that the environment holds")
    return text


Server = Annotated[str, AfterValidator(_server)]


def _tracking(text: str) -> str:
    if text != "sqlite" and not text.startswith(("postgresql://", "http://", "https://", "env:")):
        message = "MLflow is 'sqlite' (embedded), or an address that begins with postgresql://, http:// or https://"
        raise ValueError(message + ", or env:NAME for one that the environment holds")
    return text


Tracking = Annotated[str, AfterValidator(_tracking)]


class Stores(Part):
    """``[stores]``; an address with a password is better written ``"env:NAME"``, kept in the environment."""

    database: Server = "sqlite"
    """The live log, identity edges and API keys: ``sqlite`` (in the state folder) or ``postgresql://…``."""
    online: Server = "sqlite"
    """Feast's online rows: ``sqlite``, ``postgresql://…`` or ``redis://…`` (Redis or Valkey)."""
    registry: Server = "file"
    """Feast's registry: ``file`` (in the state folder) or ``postgresql://…``."""
    tracking: Tracking = "sqlite"
    """MLflow's records: ``sqlite`` (in the state folder), ``postgresql://…``, or a tracking server's ``http://…``."""
    deadline_ms: Annotated[int, Field(ge=1, le=60_000)] = 50
    """How long an online store that is a server may take for one call of a few rows."""


def resolved(server: str, environment: Mapping[str, str] = os.environ) -> str:
    """``server``, or what the environment holds under the name it refers to; ``SiteError`` if it holds nothing."""
    match = _REFERENCE.fullmatch(server)
    if match is None:
        return server
    if not environment.get(match[1]):
        raise SiteError([f"leadlight.toml: [stores] says {server!r}, but {match[1]} is not set in the environment"])
    return environment[match[1]]
