"""The operator's side: whether the process lives, and whether it can score."""

from __future__ import annotations

from fastapi import APIRouter, Response

from serving.problems import documented
from serving.routes.common import answer
from serving.schemas_health import Health, Readiness
from serving.service import Service


def api(service: Service) -> APIRouter:
    """The operator's side: whether the process lives, and whether it can score."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=Health)
    async def healthz() -> Response:
        """The process answers."""
        return answer(Health(service.journal.health()))

    @router.get("/readyz", response_model=Readiness, responses=documented(503))
    async def readyz() -> Response:
        """At least one target has a champion; otherwise 503 with what is wrong and what to do."""
        return answer(Readiness(champions=service.champions.ready()))

    return router
