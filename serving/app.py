"""The server composed: settings in, an application out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.catalogue import Catalogue
from features.log import Log
from leadlight.database import open_database
from leadlight.journal import keep, prune_answers
from leadlight.schema import Micros
from leadlight.settings import Site
from serving import access, problems
from serving.journal import Journal
from serving.routes import erasure, health, history, metrics, pages, scores, tags
from serving.service import Service

BODY_AT_MOST = 16 * 2**20
LOOK_EVERY_SECONDS = 1.0
LOOK_FOR_CHAMPIONS_EVERY_SECONDS = 0.2
PRUNE_EVERY_SECONDS = 3600.0
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

    def prune() -> None:
        before = site.journal.kept_since(wall())
        removed = 0 if before is None else prune_answers(database, before)
        if removed:
            _log.info("answers_pruned", extra={"answers": removed})

    @asynccontextmanager
    async def watching(_: FastAPI) -> AsyncIterator[None]:
        watches = [
            asyncio.create_task(_watch(LOOK_FOR_CHAMPIONS_EVERY_SECONDS, service.champions.refresh)),
            asyncio.create_task(_watch(LOOK_EVERY_SECONDS, service.refresh, service.keep_exact)),
            asyncio.create_task(_watch(LOOK_EVERY_SECONDS, service.prepare)),
        ]
        if site.journal.keep_days is not None:
            watches.append(asyncio.create_task(_watch(PRUNE_EVERY_SECONDS, prune, first=LOOK_EVERY_SECONDS)))
        yield
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        await asyncio.to_thread(journal.close)
        service.desk.store.close()
        database.dispose()

    app = FastAPI(
        redirect_slashes=False,
        title=f"Leadlight: {site.site.title.en}",
        description="Conversion probability, grade and reasons of leads. Errors are RFC 9457 problem documents.",
        version="1",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        lifespan=watching,
    )
    app.state.journal = journal
    app.add_middleware(BodyLimit, limit=BODY_AT_MOST)
    app.add_middleware(access.Guard, access=access.Access(access.Keys(database)))  # before all else
    routers = [part.api(service) for part in (history, erasure, tags, scores, health, pages)]
    routers.append(metrics.api(service, state))
    for router in routers:
        app.include_router(router)
    problems.install(app)
    access.document(app, routers)
    return app


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


async def _watch(seconds: float, *looks: Callable[[], None], first: float | None = None) -> None:
    """Look again and again, ``first`` after so long; a rollback waits for no other watch than its own."""
    await asyncio.sleep(seconds if first is None else first)
    while True:
        try:
            for look in looks:
                await asyncio.to_thread(look)
        except Exception:  # noqa: BLE001  # the watch outlives whatever it meets: what serves goes on serving
            _log.exception("watch_failed")
        await asyncio.sleep(seconds)
