"""What all routes share: their parameters, who asks, and how an answer is written."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path, Query, Response
from pydantic_core import to_json

from leadlight.schema import from_micros
from serving.language import Language
from serving.schemas import Identifier, Moment
from serving.scoring import Asker
from serving.service import Service

AcceptLanguage = Annotated[str | None, Header(description="zh or en: the language of the reasons")]
TargetName = Annotated[str | None, Query(description="one of the site's targets; its first by default")]
LeadId = Annotated[Identifier, Path(description="a lead's id, as scores are asked for")]
AnyLeadId = Annotated[str, Path(min_length=1, description="a lead's id, whatever files call it")]
AsOf = Annotated[Moment | None, Query(description="the moment the question is asked of; the site's clock by default")]


def asker(service: Service, language: Language) -> Asker:
    return Asker(language, from_micros(service.wall()))


def answer(answer: object, language: Language | None = None) -> Response:
    headers = {"Cache-Control": "no-store"}  # what is told of people stays in nobody's cache
    if language is not None:
        headers |= {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(to_json(answer), headers=headers, media_type="application/json")
