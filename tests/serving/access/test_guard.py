"""The guard: nothing is answered without a key, and each scope may do what it is for."""

from __future__ import annotations

import base64
import logging
import shutil
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from urllib.error import HTTPError

import pytest
import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from leadlight.database import open_database
from leadlight.schema import SECOND
from serving.access import Access, Guard, Keys, Scope, allowed
from serving.access.guard import OPEN, scopes_of
from serving.access.keys import SCOPES
from tests.serving.serving_builders import School

MAY: dict[tuple[str, str], set[str]] = {
    ("POST", "/v1/events"): {"crm"},
    ("POST", "/v1/outcomes"): {"crm"},
    ("PUT", "/v1/leads/{lead_id:path}"): {"crm"},
    ("POST", "/v1/scores"): {"crm", "sales", "scientist"},
    ("GET", "/v1/leads/{lead_id:path}"): {"sales", "scientist"},
    ("GET", "/v1/leads/{lead_id:path}/tags"): {"sales", "scientist"},
    ("GET", "/v1/leads/{lead_id:path}/profile"): {"sales", "scientist"},
    ("DELETE", "/v1/leads/{lead_id:path}"): set(),
    ("GET", "/v1/model"): {"scientist"},
    ("GET", "/v1/models/{target}"): {"crm", "sales", "scientist"},
    ("GET", "/leads/{lead_id:path}"): {"sales", "scientist"},
}
"""What each scope but admin, which may do everything, may do."""


@contextmanager
def running(app: FastAPI, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of ``app`` on a port of its own."""
    listener = socket.create_server((host, 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def ask(address: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of an answer over HTTP; in a header's name ``_`` stands for ``-``."""
    request = urllib.request.Request(address, body, {name.replace("_", "-"): value for name, value in headers.items()})  # noqa: S310  our own address
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  our own address
            return answer.status, _lower(answer.headers), answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, _lower(error.headers), error.read().decode()


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def basic(password: str, name: str = "anybody") -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def guarded(school: School, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The school's server over HTTP, and a key of each scope."""
    state = tmp_path_factory.mktemp("guarded") / "state"
    shutil.copytree(school.state, state)
    copy = School(school.site, school.catalogue, state)
    keys = Keys(open_database(copy.site, state))
    texts: dict[str, str] = {scope: keys.add(scope, scope, at=7)[1] for scope in SCOPES}
    with running(copy.app()) as address:
        yield address, texts


@pytest.mark.parametrize(
    "path", ["/v1/model", "/v1/leads/hot", "/openapi.json", "/v1/nothing", "/healthz/", "//healthz"]
)
def test_nothing_is_answered_without_a_key(guarded: tuple[str, dict[str, str]], path: str) -> None:
    """401 with what to send, whether the route is there or not."""
    address, _ = guarded

    answers = [
        ask(address + path),
        ask(address + path, X_API_Key="wrong"),
        ask(address + path, Authorization="Bearer"),
        ask(address + path, Authorization="Bearer wrong"),
    ]
    for status, answered, body in answers:
        assert status == 401
        assert "www-authenticate" in answered
        assert "wrong" not in body


def test_the_api_is_refused_as_a_problem_before_its_body_is_looked_at(guarded: tuple[str, dict[str, str]]) -> None:
    """A broken body without a key is a 401, never a word on the body."""
    address, _ = guarded

    status, headers, body = ask(f"{address}/v1/scores", b"{", Content_Type="application/json")

    assert status == 401
    assert headers["content-type"] == "application/problem+json"
    assert headers["www-authenticate"] == 'Bearer realm="leadlight"'
    assert "X-API-Key" in body


def test_a_key_comes_as_a_bearer_token_or_in_its_own_header(guarded: tuple[str, dict[str, str]]) -> None:
    """Both ways open; a browser's password does not open the API."""
    address, texts = guarded
    text, model = texts["scientist"], f"{address}/v1/model"

    assert ask(model, Authorization=f"Bearer {text}")[0] == 200
    assert ask(model, Authorization=f"bearer  {text}")[0] == 200
    assert ask(model, X_API_Key=text)[0] == 200
    assert ask(model, Authorization=basic(text))[0] == 401
    assert ask(f"{address}/openapi.json", X_API_Key=texts["crm"])[0] == 200


def test_health_is_answered_to_everybody(guarded: tuple[str, dict[str, str]]) -> None:
    """A load balancer has no key."""
    address, _ = guarded

    assert [ask(address + path)[0] for path in sorted(OPEN)] == [200, 200]


def test_a_browser_opens_a_card_with_the_key_as_password(guarded: tuple[str, dict[str, str]]) -> None:
    """Without one it is asked for it, on a page in its language; any name will do."""
    address, texts = guarded
    card = f"{address}/leads/hot?lang=zh"

    status, headers, page = ask(card)
    assert (status, headers["www-authenticate"]) == (401, 'Basic realm="leadlight", charset="UTF-8"')
    assert headers["content-type"].startswith("text/html")
    assert '<html lang="zh-CN">' in page
    assert "hot" not in page

    assert ask(card, Authorization=basic(texts["sales"]))[0] == 200
    assert ask(card, Authorization=basic(texts["sales"], ""))[0] == 200
    assert ask(card, Authorization=f"Bearer {texts['sales']}")[0] == 200
    for wrong in (
        basic("wrong"),
        basic("", texts["sales"]),
        "Basic",
        "Basic %%%",
        "Basic /w==",
        basic(texts["sales"])[:-8],
    ):
        assert ask(card, Authorization=wrong)[0] == 401, wrong


def test_another_scope_is_forbidden(guarded: tuple[str, dict[str, str]]) -> None:
    """403 says what the key may not do and which scopes may; on a page, as a page."""
    address, texts = guarded

    status, headers, body = ask(f"{address}/v1/model", X_API_Key=texts["crm"])
    page = ask(f"{address}/leads/hot", Authorization=basic(texts["crm"]))

    assert (status, headers["content-type"]) == (403, "application/problem+json")
    assert "admin, scientist" in body
    assert page[0] == 403
    assert page[1]["content-type"].startswith("text/html")
    assert texts["crm"] not in body + page[2]


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_may_do_what_it_is_for(guarded: tuple[str, dict[str, str]], scope: Scope) -> None:
    """What routes declare is what is answered: 403 where a scope may not, anything else where it may."""
    address, texts = guarded
    bodies = {"/v1/scores": b'{"leads": [{"lead_id": "hot"}]}', "/v1/events": b"{}", "/v1/outcomes": b"{}"}
    reached = {
        (method, path): ask(
            address + path.replace("{lead_id:path}", "hot"),
            bodies.get(path),
            X_API_Key=texts[scope],
            Content_Type="application/json",
        )[0]
        for method, path in MAY
        if method in {"GET", "POST"}
    }

    refused = {route for route, status in reached.items() if status == 403}

    assert refused == {route for route in reached if scope != "admin" and scope not in MAY[route]}
    assert 401 not in reached.values()


def test_every_route_says_who_may_use_it(app: FastAPI) -> None:
    """No route was forgotten, and the table above is what routes declare."""
    routes = [route for route in iter_route_contexts(app.routes) if isinstance(route.original_route, APIRoute)]

    declared = {
        (method, route.path): scopes_of(route.dependencies)
        for route in routes
        if route.path not in OPEN
        for method in route.methods or ()
    }

    assert [route for route, scopes in declared.items() if "admin" not in scopes] == []
    assert {route: scopes - {"admin"} for route, scopes in declared.items() if route in MAY} == MAY


def test_openapi_says_which_scopes_may(app: FastAPI) -> None:
    """Every guarded operation has its security and its 401 and 403; health has none."""
    document = app.openapi()

    model = document["paths"]["/v1/model"]["get"]
    assert model["security"] == [{"bearer": ["admin", "scientist"]}, {"header": ["admin", "scientist"]}]
    assert {"401", "403"} <= set(model["responses"])
    assert "security" not in document["paths"]["/healthz"]["get"]
    assert document["components"]["securitySchemes"]["header"]["name"] == "X-API-Key"


def small_app(keys: Keys) -> FastAPI:
    """An app with a guard and a single route, which says nothing of scopes."""
    app = FastAPI()

    @app.get("/v1/forgotten")
    def forgotten() -> str:
        return "secret"

    app.add_middleware(Guard, access=Access(keys))
    return app


def test_a_forgotten_route_is_shut_to_whoever_has_no_key(keys: Keys) -> None:
    """A route that says nothing of scopes still needs a key."""
    _, text = keys.add("CRM", "crm", at=7)
    with TestClient(small_app(keys)) as client:
        without, with_key = client.get("/v1/forgotten"), client.get("/v1/forgotten", headers={"X-API-Key": text})

    assert (without.status_code, with_key.status_code) == (401, 200)


def test_keys_added_and_revoked_while_the_server_runs_count_within_a_second(
    keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    """Open without keys; shut with the first; shut for good when it is revoked; and no key or hash in any log."""
    caplog.set_level(logging.DEBUG)
    with running(small_app(keys)) as address:
        route = f"{address}/v1/forgotten"
        seen = [ask(route)[0]]
        _, text = keys.add("CRM", "scientist", at=7 * SECOND)
        time.sleep(1)
        seen += [ask(route)[0], ask(route, X_API_Key=text)[0]]
        keys.revoke("CRM", at=8 * SECOND)
        time.sleep(1)
        seen += [ask(route, X_API_Key=text)[0], ask(route)[0]]

    assert seen == [200, 401, 200, 401, 401]
    assert "access_refused" in caplog.text
    logged = " ".join(f"{vars(record)}" for record in caplog.records)
    assert text not in logged
    assert [digest for digest, _ in keys.hashes() if digest in logged] == []


def test_every_check_of_a_route_counts() -> None:
    """Who may use a route passes its router's check and its own; admin passes all without being named."""
    router = APIRouter(dependencies=[allowed("crm", "sales")])

    @router.get("/x", dependencies=[allowed("sales", "scientist")])
    def route() -> None: ...

    (made,) = router.routes

    assert isinstance(made, APIRoute)
    assert scopes_of(made.dependencies) == {"sales", "admin"}
