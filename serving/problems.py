"""Errors as RFC 9457 answers: one problem document with every fault of the request, and never a traceback."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from leadlight.database import DatabaseUnavailable
from leadlight.schema import ID_WORDS

MEDIA_TYPE = "application/problem+json"
CAME_AT_MOST = 120
_VARIANTS = {"known", "new"}
_REFERENCE = "#/components/schemas/{model}"
_OBJECT = "a JSON object, sent as application/json"
_ALLOWED = {
    "model_attributes_type": _OBJECT,
    "model_type": _OBJECT,
    "missing": "a value: this field is required",
    "string_pattern_mismatch": f"an id: {ID_WORDS}",
    "extra_forbidden": "no field of this name; GET /openapi.json has those there are",
}
"""What is allowed, where pydantic speaks of Python rather than of requests."""
_log = logging.getLogger("leadlight.serving")


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: which lead (its place in ``leads``), where, what came, what is allowed."""

    pointer: str
    came: str
    allowed: str
    index: int | None = None


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer that is not the one asked for: its HTTP status, what is wrong and what to do."""

    def __init__(self, status: int, detail: str, faults: Sequence[Fault] = ()) -> None:
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        super().__init__(detail)


class FaultDocument(BaseModel):
    """One fault as it is sent."""

    pointer: str
    came: str
    allowed: str
    index: int | None = None


class ProblemDocument(BaseModel):
    """RFC 9457 problem details, with every fault of the request in ``errors``."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultDocument]


def install(app: FastAPI) -> None:
    """Make every error of ``app``, its own and the framework's, a problem document."""
    _describe(app)

    def answer(request: Request, error: Exception) -> Response:
        answered = response(problem_of(error, request))
        answered.headers.update(getattr(error, "headers", None) or {})
        return answered

    for kind in (Problem, DatabaseUnavailable, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


def problem_of(error: Exception, request: Request) -> Problem:
    """What an error is to whoever asked; what is no fault of theirs is told in the log."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return unprocessable([_fault(detail) for detail in error.errors()])
        case HTTPException():
            return Problem(error.status_code, f"{error.detail}; GET /openapi.json lists what this server answers.")
        case DatabaseUnavailable():
            _log.warning("database_unavailable", extra={"reason": str(error)})
            return Problem(503, "The site's database does not answer. Nothing is lost: send the same again.")
    _log.error("answer_failed", exc_info=error, extra={"route": request.scope.get("path", "")})
    return Problem(500, "Leadlight failed to answer. Nothing was changed; the server's log has the cause.")


def unprocessable(faults: Sequence[Fault]) -> Problem:
    """The 422 that lists all ``faults``."""
    count = len(faults)
    detail = f"{count} fault{'' if count == 1 else 's'} in the request; nothing was done. Correct what errors lists."
    return Problem(422, detail, faults)


def shown(value: object) -> str:
    """What came, as JSON cut to a readable length; safe for any value."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= CAME_AT_MOST else f"{text[:CAME_AT_MOST]}…"


def response(problem: Problem) -> Response:
    """The HTTP answer of ``problem``."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [asdict(fault) for fault in problem.faults],
    }
    headers = {"Retry-After": "5"} if problem.status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return Response(json.dumps(body), problem.status, headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of these error statuses."""
    schema = {"$ref": _REFERENCE.format(model="ProblemDocument")}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def _describe(app: FastAPI) -> None:
    """Add the shape of a problem, which no route returns by itself, to the app's OpenAPI document."""
    draw = app.openapi

    def openapi() -> dict[str, Any]:
        document = draw()
        _, shapes = models_json_schema([(ProblemDocument, "serialization")], ref_template=_REFERENCE)
        document["components"]["schemas"].update(shapes["$defs"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend the document


def _fault(detail: dict[str, Any]) -> Fault:
    """A pydantic error as a fault; the place drops ``body`` and the name of the variant of a lead."""
    path = [step for step in detail["loc"][1:] if step not in _VARIANTS]
    if detail["type"] == "json_invalid":
        return Fault("#", f"no JSON: {detail['ctx']['error']}", "a JSON document, sent as application/json")
    index = path[1] if path[:1] == ["leads"] and len(path) > 1 and isinstance(path[1], int) else None
    came = _came(detail)
    allowed = _ALLOWED.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
    return Fault(_pointer(path), came, allowed, index)


def _pointer(path: Sequence[object]) -> str:
    """A place in a JSON document (RFC 6901): the whole is ``#``, and a name may have slashes."""
    return "#" + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def _came(detail: dict[str, Any]) -> str:
    """What came, but never the value of a field that should not be there: it may be a phone number."""
    if isinstance(detail["input"], bytes):
        return "a body that was not said to be JSON"
    if detail["type"] == "extra_forbidden":
        return f"a field called {shown(detail['loc'][-1])}"
    return "nothing" if detail["type"] == "missing" else shown(detail["input"])
