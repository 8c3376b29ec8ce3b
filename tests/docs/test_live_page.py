"""docs/live.md is true: what it sends is taken as it says, by a server of the demo."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from features.build import build
from features.catalogue import load_catalogue
from leadlight.sample import draw
from leadlight.settings import load_site
from serving.app import create_app
from tests.builders import moment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
SENT = re.compile(r"<!-- send: (\w+) (\S+) -->\n\n```\ncurl .*?-d '\n(.*?)'\n```\n\n```json\n(.*?)\n```", re.DOTALL)
LEAD = "/v1/leads/web-20251028-1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server of the demo with a hundred made leads, and without a champion."""
    folder = tmp_path_factory.mktemp("live")
    site = load_site(ROOT / "examples" / "demo")
    rules = load_catalogue(site)
    wall = moment("2025-12-01 00:00")
    draw(folder / "data", leads=100, seed=7)
    build(site, rules, state=folder / "state", data=folder / "data", as_of=None, wall=wall)
    with TestClient(create_app(site, rules, state=folder / "state", wall=lambda: wall)) as opened:
        yield opened


def sent(client: TestClient, method: str, path: str, body: str) -> Response:
    """A body as the page has it, sent."""
    return client.request(method, path, content=body.encode(), headers={"Content-Type": "application/json"})


def send(client: TestClient, method: str, path: str, body: str) -> Any:  # noqa: ANN401  whatever is answered
    """What the server answers to a body that it must take."""
    answer = sent(client, method, path, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_the_page_sends_is_answered_as_it_says(client: TestClient) -> None:
    """Sent in order, then once more: the second time nothing is new."""
    examples = SENT.findall(PAGE)

    assert [(method, path) for method, path, _, _ in examples] == [
        ("PUT", LEAD),
        ("POST", "/v1/events"),
        ("POST", "/v1/outcomes"),
    ]
    for method, path, body, said in examples:
        assert send(client, method, path, body) == json.loads(said)
    for method, path, body, _ in examples[1:]:
        assert set(send(client, method, path, body)["results"]) == {"unchanged"}
    tags = client.get(f"{LEAD}/tags", params={"names": "course_views,status,city"}).json()["tags"]
    assert {tag["name"]: tag["value"] for tag in tags}["status"] == "intention_clear"
    assert {tag["name"]: tag["value"] for tag in tags}["city"] == "上海"


def test_a_correction_counts_and_an_event_keeps_its_lead(client: TestClient) -> None:
    """As the page's table of what comes says."""
    (_, path, body, _) = SENT.findall(PAGE)[1]
    other = body.replace("数学", "英语")

    assert send(client, "POST", path, other)["results"] == ["corrected", "unchanged"]
    refused = sent(client, "POST", path, body.replace("web-20251028-1", "L000001"))
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["#/events/0/event_id", "#/events/1/event_id"]


def test_every_route_of_the_page_is_there(client: TestClient) -> None:
    """The table of routes names nothing that OpenAPI does not have."""
    paths = client.get("/openapi.json").json()["paths"]
    known = {(method.upper(), path.replace("{lead_id}", "{id}")) for path, of in paths.items() for method in of}

    named = re.findall(r"^\| `(GET|POST|PUT|DELETE) (/v1/[^`?]*)", PAGE, flags=re.MULTILINE)

    assert len(named) == 6
    assert set(named) <= known


def test_a_person_who_was_forgotten_is_not_found(client: TestClient) -> None:
    """404 from the answer on, and re-sent facts are refused; this ends what the other tests began."""
    (_, path, body, _) = SENT.findall(PAGE)[1]

    erased = client.request("DELETE", LEAD)

    assert erased.status_code == 200
    assert erased.json()["leads"] == ["web-20251028-1"]
    for what in ("tags", "profile"):
        assert client.get(f"{LEAD}/{what}").status_code == 404
    refused = sent(client, "POST", path, body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["allowed"] == "nothing about this lead is taken any more"
