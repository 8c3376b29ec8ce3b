"""The server composed: settings in, an application out; and the one place that listens."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.catalogue import Catalogue
from features.log import Log
from leadlight.database import open_database
from leadlight.journal import keep
from leadlight.schema import Micros
from leadlight.settings import Site, UsageError
from serving import access, problems
from serving.journal import Journal
from serving.routes import erasure, health, history, metrics, pages, scores, tags
from serving.service import Service

BODY_AT_MOST = 16 * 2**20
LOOK_EVERY_SECONDS = 1.0
_log = logging.getLogger("leadlight.serving")


def create_app(
    site: Site, catalogue: Catalogue, *, state: Path, wall: Callable[[], Micros], as_of: Micros | None = None
) -> FastAPI:
    """The application over what was built and promoted in ``state``; ``SiteError`` if nothing was built.

    ``wall`` tells the time; ``as_of`` stops the site's clock. Changes of the state folder are seen while it runs.
    """
    database = open_database(site, state)
    journal = Journal(partial(keep, database))
    service = Service(site, catalogue, state=state, log=Log(database), journal=journal, wall=wall, as_of=as_of)

    @asynccontextmanager
    async def watching(_: FastAPI) -> AsyncIterator[None]:
        watch = asyncio.create_task(_watch(service))
        yield
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        await asyncio.to_thread(journal.close)
        service.desk.store.close()
        database.dispose()

    app = FastAPI(
        title=f"Leadlight: {site.site.title.en}",
        description="Conversion probability, grade and reasons of leads. Errors are RFC 9457 problem documents.",
        version="1",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        lifespan=watching,
    )
    app.add_middleware(BodyLimit, limit=BODY_AT_MOST)
    app.add_middleware(access.Guard, access=access.Access(access.Keys(database)))  # before all else
    routers = [part.api(service) for part in (history, erasure, tags, scores, health, pages)]
    routers.append(metrics.api(service, state))
    for router in routers:
        app.include_router(router)
    problems.install(app)
    access.document(app, routers)
    return app


def open_port(host: str, port: int, *, has_keys: Callable[[], bool] = lambda: False) -> socket.socket:
    """Take the port before anything slow begins. Without API keys nobody but this machine may ask."""
    check_host(host, has_keys)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError([f"--port {port}: cannot listen on {host}: {error.strerror}; choose another port"]) from error


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answer until interrupted."""
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listener])


def check_host(host: str, has_keys: Callable[[], bool] = lambda: False) -> None:
    """Refuse a ``host`` that other machines can reach while there is no valid API key."""
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost" and not has_keys():
        words = "no API key is configured, so only 127.0.0.1, ::1 or localhost: make one with `leadlight keys add SITE`"
        raise UsageError([f"--host {host}: {words}"])


class BodyLimit:
    """Ends a request whose body is larger than ``limit`` bytes, whatever its headers say."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what arrives on the way to the application."""
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._limit:
                raise HTTPException(413, f"The body is larger than {self._limit} bytes: send fewer leads at a time")
            return message

        await self._app(scope, counted, send)


async def _watch(service: Service) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        try:
            await asyncio.to_thread(service.refresh)
            await asyncio.to_thread(service.keep_exact)
        except Exception:  # noqa: BLE001  # the watch outlives whatever it meets: what serves goes on serving
            _log.exception("watch_failed")
