"""Pages for people: rendered on the server, without scripts, complete in one answer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.language import Language, preferred
from serving.problems import Problem
from serving.words import say

_FOLDER = Path(__file__).parent


def render(template: str, language: Language, **values: object) -> str:
    """A page in ``language``; every value is escaped."""
    return (
        _environment()
        .get_template(template)
        .render(values, language=language, style=_style(), say=partial(_say, language))
    )


def language_of(query: Mapping[str, str], headers: Mapping[str, str]) -> Language:
    """The language a page is asked for in: ``?lang=``, else what the browser prefers."""
    return preferred(query.get("lang") or headers.get("accept-language"))


def problem_page(problem: Problem, language: Language) -> HTMLResponse:
    """What cannot be shown, as a page of its status."""
    return HTMLResponse(render("problem.html", language, problem=problem), problem.status, headers())


@cache
def headers() -> dict[str, str]:
    """What a page may do: show itself with its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> str:
    return (_FOLDER / "style.css").read_text(encoding="utf-8")


def _say(language: Language, key: str, **names: object) -> str:
    return say(key, language, **names)
