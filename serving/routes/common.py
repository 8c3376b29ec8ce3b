"""What all routes share: their parameters, who asks, and how an answer is written."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query, Response
from pydantic_core import to_json

from leadlight.schema import from_micros
from serving.language import Language
from serving.schemas import Moment
from serving.scoring import Asker
from serving.service import Service

AcceptLanguage = Annotated[str | None, Header(description="zh or en: the language of the reasons")]
TargetName = Annotated[str | None, Query(description="one of the site's targets; its first by default")]
AsOf = Annotated[Moment | None, Query(description="the moment the question is asked of; the site's clock by default")]


def asker(service: Service, language: Language) -> Asker:
    return Asker(language, from_micros(service.wall()))


def answer(answer: object, language: Language | None = None) -> Response:
    headers = {} if language is None else {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(to_json(answer), headers=headers, media_type="application/json")
