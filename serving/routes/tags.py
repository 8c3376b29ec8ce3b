"""A lead's tags: some by name, or all of them as a profile."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from serving.access import allowed
from serving.champion import Champion
from serving.desk import Desk
from serving.intake import Question, questions
from serving.language import preferred
from serving.problems import Problem, documented, shown, unprocessable
from serving.routes.common import AcceptLanguage, AsOf, TargetName, answer
from serving.schemas import KnownLead, Moment
from serving.schemas_tags import ProfileAnswer, TagsAnswer
from serving.service import Service
from serving.tags import asked_columns, profile_of, tags_of

Names = Annotated[
    str | None,
    Query(description="entries or columns of the catalogue, parted by commas; all by default", examples=["city,pages"]),
]


def api(service: Service) -> APIRouter:
    """Features as a CRM or a person asks for them."""
    router = APIRouter(prefix="/v1", tags=["tags"], dependencies=[allowed("sales", "scientist")])

    @router.get("/leads/{lead_id:path}/tags", response_model=TagsAnswer, responses=documented(404, 422))
    def get_tags(
        lead_id: str, names: Names = None, as_of: AsOf = None, accept_language: AcceptLanguage = None
    ) -> Response:
        """Some features of a lead, in words, as they were known at a moment."""
        desk, language = service.desk, preferred(accept_language)
        columns = asked_columns(desk, names)
        return answer(tags_of(desk, _question(service, desk, lead_id, as_of), columns, language), language)

    @router.get("/leads/{lead_id:path}/profile", response_model=ProfileAnswer, responses=documented(404, 422))
    def get_profile(
        lead_id: str, target: TargetName = None, as_of: AsOf = None, accept_language: AcceptLanguage = None
    ) -> Response:
        """All features of a lead by theme, how complete they are, and which missing fact would tell the model most."""
        desk, language = service.desk, preferred(accept_language)
        question = _question(service, desk, lead_id, as_of)
        return answer(profile_of(desk, question, _champion(service, target), language), language)

    return router


def _question(service: Service, desk: Desk, lead_id: str, as_of: Moment | None) -> Question:
    """The lead at the moment asked about, or at the clock; a 404 for one that is not, or no longer, in the history."""
    door = service.door(desk)
    if door.person(lead_id, door.clock) not in desk.roster.members:
        raise Problem(404, f"No lead {shown(lead_id)} in the history, or it was erased; PUT /v1/leads adds one.")
    (question,), faults = questions(door, [KnownLead.model_construct(lead_id=lead_id)], as_of)
    if faults:
        raise unprocessable(faults)
    return question


def _champion(service: Service, target: str | None) -> Champion | None:
    """The target's champion, if it has one; a 422 for a target the site does not have."""
    try:
        return service.champion(target)
    except Problem as problem:
        if problem.status != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return None
