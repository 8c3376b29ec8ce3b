"""The routes: HTTP in, HTTP out. Whatever is decided is decided elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import HTMLResponse
from pydantic_core import to_json

from leadlight.schema import from_micros, to_micros
from serving import web
from serving.champion import Champion
from serving.language import Language, preferred
from serving.lead import lead_answer
from serving.problems import Problem, documented, shown
from serving.schemas import (
    Health,
    KnownLead,
    LeadAnswer,
    ModelAnswer,
    Moment,
    Readiness,
    ScoresAnswer,
    ScoresRequest,
)
from serving.scoring import Asker, score
from serving.service import Service
from serving.web.card import card_of

AcceptLanguage = Annotated[str | None, Header(description="zh or en: the language of the reasons")]
TargetName = Annotated[str | None, Query(description="one of the site's targets; its first by default")]
AsOf = Annotated[Moment | None, Query(description="the moment the question is asked of; the site's clock by default")]


def api(service: Service) -> APIRouter:
    """The machine's side: JSON under ``/v1``."""
    router = APIRouter(prefix="/v1", tags=["scores"])

    @router.post("/scores", response_model=ScoresAnswer, responses=documented(400, 413, 422, 503))
    def post_scores(request: ScoresRequest, accept_language: AcceptLanguage = None) -> Response:
        """Score 1 to 1,000 leads, each with its reasons."""
        desk, champion = service.desk, service.champion(request.target)
        asker = _asker(service, preferred(accept_language))
        scores = score(desk, champion, service.door(desk), request.leads, as_of=request.as_of, asker=asker)
        return _json(ScoresAnswer(tuple(scores)), asker.language)

    @router.get("/leads/{lead_id:path}", response_model=LeadAnswer, responses=documented(404, 422, 503))
    def get_lead(
        lead_id: str, target: TargetName = None, as_of: AsOf = None, accept_language: AcceptLanguage = None
    ) -> Response:
        """What is known of a lead, and its score."""
        language = preferred(accept_language)
        return _json(_lead(service, service.champion(target), lead_id, as_of, language), language)

    @router.get("/model", response_model=ModelAnswer, responses=documented(422, 503))
    def get_model(target: TargetName = None) -> Response:
        """The champion: its version, what the gate found, and the signed certificate."""
        champion = service.champion(target)
        return _json(
            ModelAnswer(
                target=champion.target,
                version=champion.version,
                bundle_sha256=champion.bundle.sha256,
                verdict=champion.certificate.verdict,
                findings=dict(champion.certificate.findings),
                certificate=dict(champion.signed),
            )
        )

    return router


def health(service: Service) -> APIRouter:
    """The operator's side: whether the process lives, and whether it can score."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=Health)
    async def healthz() -> Response:
        """The process answers."""
        return _json(Health())

    @router.get("/readyz", response_model=Readiness, responses=documented(503))
    async def readyz() -> Response:
        """At least one target has a champion; otherwise 503 with what is wrong and what to do."""
        return _json(Readiness(champions=service.champions.ready()))

    return router


def pages(service: Service) -> APIRouter:
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
            answer = _lead(service, champion, lead_id, as_of, language)
        except Problem as problem:
            page = web.render("problem.html", language, problem=problem)
            return HTMLResponse(page, problem.status, web.headers())
        content = card_of(answer, champion, service.site, service.champions.versions(), language)
        return HTMLResponse(web.render("card.html", language, card=content), headers=web.headers())

    return router


def _lead(service: Service, champion: Champion, lead_id: str, as_of: Moment | None, language: Language) -> LeadAnswer:
    desk = service.desk
    if lead_id not in desk.roster.members:
        raise Problem(
            404, f"No lead {shown(lead_id)} in the history; POST /v1/scores scores one that is not yet in it."
        )
    asker = _asker(service, language)
    (found,) = score(desk, champion, service.door(desk), [KnownLead(lead_id=lead_id)], as_of=as_of, asker=asker)
    return lead_answer(desk.history.facts([lead_id])[lead_id], found, to_micros(found.as_of))


def _asker(service: Service, language: Language) -> Asker:
    return Asker(language, from_micros(service.wall()))


def _json(answer: object, language: Language | None = None) -> Response:
    headers = {} if language is None else {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(to_json(answer), headers=headers, media_type="application/json")
