"""The way out: a person is forgotten."""

from __future__ import annotations

from fastapi import APIRouter, Response

from serving.access import allowed
from serving.problems import documented
from serving.routes.common import AnyLeadId, answer
from serving.schemas_live import Erased
from serving.service import Service


def api(service: Service) -> APIRouter:
    """What an administrator does for a person who asks to be forgotten."""
    router = APIRouter(prefix="/v1", tags=["history"], dependencies=[allowed("admin")])

    @router.delete("/leads/{lead_id:path}", response_model=Erased, responses=documented(401, 403, 422, 503))
    def delete_lead(lead_id: AnyLeadId) -> Response:
        """Forget the person that this lead is: every trace in history, features, online rows and exported files.

        Facts that are sent of these leads from now on are refused. A lead that is not known is erased all the same.
        """
        erased = service.erase(lead_id)
        return answer(Erased(erased.leads, erased.removed))

    return router
