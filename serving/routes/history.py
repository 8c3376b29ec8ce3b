"""The way in for live facts: events, leads and outcomes as they happen, each kept once and counted at once."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Response

from features.log import Appended, NewEvent
from serving import live
from serving.access import allowed
from serving.problems import documented
from serving.routes.common import LeadId, answer
from serving.schemas_live import Accepted, EventsRequest, LeadRequest, LiveEvent, OutcomesRequest
from serving.service import Service


def api(service: Service) -> APIRouter:
    """What a CRM tells."""
    router = APIRouter(prefix="/v1", tags=["history"], dependencies=[allowed("crm")])
    documents = documented(400, 401, 403, 409, 413, 422, 503)

    @router.post("/events", response_model=Accepted, responses=documents)
    def post_events(request: EventsRequest) -> Response:
        """Keep 1 to 1,000 events, all or none; what is sent again changes nothing."""
        return _keep(service, request.events, field="events")

    @router.post("/outcomes", response_model=Accepted, responses=documents)
    def post_outcomes(request: OutcomesRequest) -> Response:
        """Keep what came of leads: follow-up statuses, orders, losses. They are events like all others."""
        return _keep(service, request.outcomes, field="outcomes", kinds=live.outcome_kinds(service.site))

    @router.put("/leads/{lead_id:path}", response_model=Accepted, responses=documents)
    def put_lead(lead_id: LeadId, request: LeadRequest) -> Response:
        """Keep a lead as it now stands: a new one, or a new version of a known one."""
        desk = service.desk
        version = live.version(service.door(desk), lead_id, request, hashing=service.hashing)
        appended = service.accept(desk, [version], place="#")
        return _accepted(service, appended, [lead_id])

    return router


def _keep(service: Service, sent: Sequence[LiveEvent], *, field: str, kinds: frozenset[str] | None = None) -> Response:
    desk = service.desk
    facts: list[NewEvent] = live.events(service.door(desk), sent, field=field, kinds=kinds)
    appended = service.accept(desk, facts, place=f"#/{field}/{{index}}")
    return _accepted(service, appended, [fact.lead_id for fact in facts])


def _accepted(service: Service, appended: Appended, lead_ids: list[str]) -> Response:
    people = tuple(dict.fromkeys(service.desk.past.person_of(lead_id) for lead_id in lead_ids))
    return answer(Accepted(appended.results, people, appended.seq))
