"""People's side: one page a lead."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from serving import web
from serving.language import preferred
from serving.problems import Problem
from serving.routes.common import AcceptLanguage, AsOf
from serving.routes.scores import known_lead
from serving.service import Service
from serving.web.card import card_of


def api(service: Service) -> APIRouter:
    """People's side: one page a lead."""
    router = APIRouter(include_in_schema=False)

    @router.get("/leads/{lead_id:path}")
    def card(
        lead_id: str,
        target: str | None = None,
        lang: str | None = None,
        as_of: AsOf = None,
        accept_language: AcceptLanguage = None,
    ) -> Response:
        language = preferred(lang or accept_language)
        try:
            champion = service.champion(target)
            answer = known_lead(service, champion, lead_id, as_of, language)
        except Problem as problem:
            page = web.render("problem.html", language, problem=problem)
            return HTMLResponse(page, problem.status, web.headers())
        content = card_of(answer, champion, service.site, service.champions.versions(), language)
        return HTMLResponse(web.render("card.html", language, card=content), headers=web.headers())

    return router
