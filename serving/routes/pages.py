"""People's side: one page a lead."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from serving import web
from serving.access import allowed
from serving.language import preferred
from serving.problems import problem_of
from serving.routes.common import AcceptLanguage, AsOf
from serving.routes.scores import known_lead
from serving.service import Service
from serving.web.card import card_of


class PageRoute(APIRoute):
    """A route for people, whose problems are pages too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's answer, or the page of its problem."""
        answer = super().get_route_handler()

        async def answer_or_page(request: Request) -> Response:
            try:
                return await answer(request)
            except Exception as error:  # noqa: BLE001  whatever it is, people are told on a page
                problem = problem_of(error, request)
                return web.problem_page(problem, web.language_of(request.query_params, request.headers))

        return answer_or_page


def api(service: Service) -> APIRouter:
    """People's side: one page a lead."""
    router = APIRouter(include_in_schema=False, route_class=PageRoute, dependencies=[allowed("sales", "scientist")])

    @router.get("/leads/{lead_id:path}")
    def card(
        lead_id: str,
        target: str | None = None,
        lang: str | None = None,
        as_of: AsOf = None,
        accept_language: AcceptLanguage = None,
    ) -> Response:
        language = preferred(lang or accept_language)
        champion = service.champion(target)
        answer = known_lead(service, champion, lead_id, as_of, language)
        content = card_of(answer, champion, service.site, service.champions.versions(), language, as_of=as_of)
        return HTMLResponse(web.render("card.html", language, card=content), headers=web.headers())

    return router
