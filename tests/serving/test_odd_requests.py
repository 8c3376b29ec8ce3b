"""What integrators get wrong, each answered with its place, what came and what to send instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from features.log import Log, NewVersion
from leadlight.database import open_database
from leadlight.shelf import champion_file
from tests.serving.journal_builders import TARGET, copied
from tests.serving.serving_builders import NOON, School

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def writable(school: School, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server that takes facts; it has no champion, for none is needed."""
    own = copied(school, tmp_path_factory.mktemp("writable"))
    champion_file(own.state, TARGET).unlink()
    with TestClient(own.app()) as opened:
        yield opened


@pytest.mark.parametrize(
    "lead_id",
    ["", "a%09b", "%00", "x" * 201, "%20%20", "%E3%80%80"],
    ids=["empty", "tab", "nul", "long", "blank", "wide"],
)
def test_a_lead_that_could_never_be_asked_for_is_not_taken(writable: TestClient, lead_id: str) -> None:
    """What scores refuse as an id is none in the path either."""
    put = writable.put(f"/v1/leads/{lead_id}", json={"channel": "sem"})

    assert put.status_code == 422
    assert [fault["pointer"] for fault in put.json()["errors"]] == ["#/lead_id"]


def test_nobody_is_erased_by_an_empty_id(writable: TestClient) -> None:
    """A client that lost the id is told."""
    assert writable.delete("/v1/leads/").status_code == 422


@pytest.mark.parametrize(
    ("content", "headers", "pointer", "came", "allowed"),
    [
        (b"null", JSON, "#", "null", "a JSON object, sent as application/json"),
        (b"", JSON, "#", "nothing", "this field is required"),
        (b'{"leads": [7]}', JSON, "#/leads/0", "7", "a JSON object"),
        (b'{"leads": []}', {"Content-Type": "text/plain"}, "#", "not said to be JSON", "application/json"),
        (b'{"leads": [{"lead_id": "hot"}], "a/b~": 1}', JSON, "#/a~1b~0", "a field called", "no field of this name"),
    ],
)
def test_a_fault_speaks_of_the_request(  # noqa: PLR0917  # one table
    client: TestClient, content: bytes, headers: dict[str, str], pointer: str, came: str, allowed: str
) -> None:
    """Its place is a JSON pointer, and no word is of Python."""
    answer = client.post("/v1/scores", content=content, headers=headers)

    (fault,) = answer.json()["errors"]
    assert answer.status_code == 422
    assert fault["pointer"] == pointer
    assert came in fault["came"]
    assert allowed in fault["allowed"]


def test_a_target_that_is_not_there_hides_no_other_fault(client: TestClient) -> None:
    """All that is wrong comes at once."""
    answer = client.post("/v1/scores", json={"target": "none", "leads": [{"lead_id": "hot"}, {"lead_id": "nobody"}]})

    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["#/target", "#/leads/1/lead_id"]


def test_a_plus_sign_lost_in_the_address_is_recognised(client: TestClient) -> None:
    """The most common slip of all has its remedy in the answer."""
    answer = client.get("/v1/leads/hot?as_of=2025-10-20T09:00:00+08:00")

    (fault,) = answer.json()["errors"]
    assert fault["allowed"].endswith("in an address its + is written %2B")


@pytest.mark.parametrize("path", ["/v1/leads", "/leads"])
def test_an_address_that_is_none_is_not_found(client: TestClient, path: str) -> None:
    """It leads nowhere else."""
    assert client.get(path, follow_redirects=False).status_code == 404


def test_a_lead_whose_id_no_request_would_bring_is_answered(school: School, tmp_path: Path) -> None:
    """Files may call leads what they like: whoever is in the history can be asked about."""
    own, odd = copied(school, tmp_path), "x" * 300
    champion_file(own.state, TARGET).unlink()
    engine = open_database(own.site, own.state)
    came = NewVersion(odd, NOON, "sem", None, NOON, {}, ())
    Log(engine).append([came], arrived_at=NOON + 1, base={})
    engine.dispose()

    with TestClient(own.app()) as opened:
        answer = opened.get(f"/v1/leads/{odd}/tags")

    assert answer.status_code == 200
    assert answer.json()["lead_id"] == odd
