"""The guard: nothing but health is answered without a valid key, once a site has keys; routes say which scopes may ask.

A site without keys is served on loopback only, to whoever is there.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from leadlight.database import DatabaseUnavailable
from serving import web
from serving.access.keys import Key, Keys, Scope, hash_of
from serving.problems import Problem, documented, response

OPEN = frozenset({"/healthz", "/readyz"})
"""What a load balancer asks: answered to everybody."""
FRESH_SECONDS = 0.5
RETRY_SECONDS = 5.0
_KEY = "leadlight.key"
_log = logging.getLogger("leadlight.serving")


class Access:
    """Which keys are valid, looked up at most every ``FRESH_SECONDS``: a change counts within a second.

    While the database is away the last known keys go on counting: nobody can revoke one there meanwhile either.
    ``seconds`` is a clock that only goes forward.
    """

    def __init__(self, keys: Keys, seconds: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._seconds = seconds
        self._looking = threading.Lock()
        self._guarded = False
        self._take(keys.hashes())
        self._fresh_until = seconds() + FRESH_SECONDS

    @property
    def guarded(self) -> bool:
        """Whether a key is needed: since the first was made, even if all are revoked or gone."""
        return self._guarded

    @property
    def fresh(self) -> bool:
        """Whether what is known of the keys is new enough."""
        return self._seconds() < self._fresh_until

    def look(self) -> None:
        """Look the keys up again, unless another thread just did."""
        with self._looking:
            if self.fresh:
                return
            began = self._seconds()
            try:
                self._take(self._keys.hashes())
            except DatabaseUnavailable:
                _log.warning("keys_not_read")
                self._fresh_until = self._seconds() + RETRY_SECONDS
            else:
                self._fresh_until = began + FRESH_SECONDS

    def key(self, text: str) -> Key | None:
        """The valid key with this text; takes equally long whichever it is, and if there is none."""
        digest = hash_of(text)
        found = None
        for known, key in self._valid:
            if hmac.compare_digest(known, digest):
                found = key
        return found

    def _take(self, hashes: list[tuple[str, Key]]) -> None:
        self._valid = [(digest, key) for digest, key in hashes if key.revoked_at is None]
        self._guarded = self._guarded or bool(hashes)


class Guard:
    """Refuses a request without a valid key before anything of it is read; ``allowed`` finds the key it came with."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Let in, or answer 401."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            if not self._access.fresh:
                await run_in_threadpool(self._access.look)
            key = self._key(scope)
            if key is None and self._access.guarded:
                await _refusal(scope)(scope, receive, send)
                return
            scope[_KEY] = key
        await self._app(scope, receive, send)

    def _key(self, scope: Connection) -> Key | None:
        text = _sent(Headers(scope=scope), basic=_is_page(scope) and scope["method"] in {"GET", "HEAD"})
        return None if text is None else self._access.key(text)


def allowed(*scopes: Scope) -> Any:  # noqa: ANN401  what FastAPI takes as a dependency
    """A dependency of routes that only keys of these scopes may use, and those of the scope admin."""
    return Depends(_Check(frozenset(scopes)))


@dataclass(frozen=True)
class _Check:
    scopes: frozenset[Scope]

    async def __call__(self, request: Request) -> None:
        key: Key | None = request.scope[_KEY]
        if key is not None and key.scope != "admin" and key.scope not in self.scopes:
            _log.warning("access_refused", extra={"status": 403, "key_id": key.id, "scope": key.scope})
            may = ", ".join(sorted({*self.scopes, "admin"}))
            raise Problem(403, f"The key {key.name!r} has the scope {key.scope}; this takes a key of: {may}.")


def document(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Say in the app's OpenAPI document which scopes may use a route of ``routers``, and how a key is sent."""
    draw = app.openapi
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    def openapi() -> dict[str, Any]:
        described = draw()
        for route in routes:
            if route.include_in_schema and route.path not in OPEN:
                scopes = sorted(scopes_of(route.dependencies))
                for method in route.methods or ():
                    operation = described["paths"][route.path_format][method.lower()]
                    operation["security"] = [{"bearer": scopes}, {"header": scopes}]
                    operation["responses"] |= {str(status): what for status, what in documented(401, 403).items()}
        described["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend the document


def scopes_of(dependencies: Iterable[Dependency]) -> frozenset[str]:
    """The scopes that may use a route with these dependencies; none if it was forgotten to say so."""
    checks = [each.dependency.scopes for each in dependencies if isinstance(each.dependency, _Check)]
    return frozenset.intersection(*checks) | {"admin"} if checks else frozenset()


def _sent(headers: Headers, *, basic: bool) -> str | None:
    """The key that came: as a bearer token, a header of its own or, from a browser, the password of HTTP Basic."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic" and basic:
        return _password(rest.strip())
    return headers.get("x-api-key")


def _password(encoded: str) -> str | None:
    try:
        _, separator, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password if separator else None


def _is_page(scope: Connection) -> bool:
    """Whether people look at it: everything but the API and its description."""
    path: str = scope["path"]
    return not path.startswith("/v1/") and path != "/openapi.json"


def _refusal(scope: Connection) -> Response:
    """The 401 of a request: a browser is asked for a password, a program for a token."""
    _log.warning("access_refused", extra={"status": 401})
    if _is_page(scope):
        detail = "This page needs an API key: enter it as the password, with any name."
        language = web.language_of(QueryParams(scope["query_string"]), Headers(scope=scope))
        challenge = 'Basic realm="leadlight", charset="UTF-8"'
        answer: Response = web.problem_page(Problem(401, detail), language)
    else:
        detail = "No valid API key came: send it as Authorization: Bearer KEY, or as X-API-Key: KEY."
        answer, challenge = response(Problem(401, detail)), 'Bearer realm="leadlight"'
    answer.headers["WWW-Authenticate"] = challenge
    return answer
