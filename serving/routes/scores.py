"""The machine's side: scores, and the model they come from."""

from __future__ import annotations

from fastapi import APIRouter, Response

from leadlight.schema import to_micros
from serving.access import SCOPES, allowed
from serving.champion import Champion
from serving.intake import questions
from serving.language import Language, preferred
from serving.lead import lead_answer
from serving.models import describe
from serving.problems import Problem, documented, shown, unprocessable
from serving.routes.common import AcceptLanguage, AsOf, TargetName, answer, asker
from serving.schemas import KnownLead, Moment, ScoresAnswer, ScoresRequest
from serving.schemas_leads import LeadAnswer
from serving.schemas_models import ModelAnswer, ServingModel
from serving.scoring import score
from serving.service import Service


def api(service: Service) -> APIRouter:
    """The machine's side: JSON under ``/v1``."""
    router = APIRouter(prefix="/v1", tags=["scores"])

    @router.post(
        "/scores",
        response_model=ScoresAnswer,
        responses=documented(400, 413, 422, 503),
        dependencies=[allowed("crm", "sales", "scientist")],
    )
    def post_scores(request: ScoresRequest, accept_language: AcceptLanguage = None) -> Response:
        """Score 1 to 1,000 leads, each with its reasons."""
        desk, who = service.desk, asker(service, preferred(accept_language))
        door = service.door(desk)
        if request.target is not None and request.target not in service.site.targets:
            faults = [service.no_target(request.target), *questions(door, request.leads, request.as_of)[1]]
            raise unprocessable(faults)
        champion = service.champion(request.target)
        found = score(desk, champion, door, request.leads, as_of=request.as_of, asker=who)
        return answer(ScoresAnswer(tuple(service.tell(desk, champion, found))), who.language)

    @router.get(
        "/leads/{lead_id:path}",
        response_model=LeadAnswer,
        responses=documented(404, 422, 503),
        dependencies=[allowed("sales", "scientist")],
    )
    def getknown_lead(
        lead_id: str, target: TargetName = None, as_of: AsOf = None, accept_language: AcceptLanguage = None
    ) -> Response:
        """What is known of a lead, and its score."""
        language = preferred(accept_language)
        return answer(known_lead(service, service.champion(target), lead_id, as_of, language), language)

    @router.get(
        "/model", response_model=ModelAnswer, responses=documented(422, 503), dependencies=[allowed("scientist")]
    )
    def get_model(target: TargetName = None) -> Response:
        """The champion: its version, what the gate found, and the signed certificate."""
        champion = service.champion(target)
        return answer(
            ModelAnswer(
                target=champion.target,
                version=champion.version,
                bundle_sha256=champion.bundle.sha256,
                verdict=champion.certificate.verdict,
                findings=dict(champion.certificate.findings),
                certificate=dict(champion.signed),
            )
        )

    @router.get(
        "/models/{target}",
        response_model=ServingModel,
        responses=documented(404, 422, 503),
        dependencies=[allowed(*SCOPES)],
    )
    def get_serving_model(target: str) -> Response:
        """The model that answers for a target: its version, age and rung, what the gate found, and its challenger."""
        if target not in service.site.targets:
            raise Problem(404, f"No target {shown(target)}; this site has: {', '.join(service.site.targets)}.")
        champion = service.champion(target)
        return answer(describe(service.site, champion, service.challengers.get(champion)))

    return router


def known_lead(
    service: Service, champion: Champion, lead_id: str, as_of: Moment | None, language: Language
) -> LeadAnswer:
    desk = service.desk
    door = service.door(desk)
    if door.person(lead_id, door.clock) not in desk.roster.members:
        raise Problem(
            404, f"No lead {shown(lead_id)} in the history; POST /v1/scores scores one that is not yet in it."
        )
    who = asker(service, language)
    known = KnownLead.model_construct(lead_id=lead_id)  # files may have ids that no request would bring
    answered = score(desk, champion, door, [known], as_of=as_of, asker=who)
    (found,) = service.tell(desk, champion, answered)
    return lead_answer(desk.past.facts([found.lead_id])[found.lead_id], found, to_micros(found.as_of))
