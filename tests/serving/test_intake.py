"""A request at the door: every fault of every lead in one answer, and nothing scored."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from leadlight.schema import DAY, from_micros
from tests.serving.serving_builders import WALL, new_lead


def faults(client: TestClient, *leads: Any, **request: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # JSON
    answer = client.post("/v1/scores", json={"leads": leads, **request})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return list(answer.json()["errors"])


def test_all_faults_of_all_leads_are_told_at_once(client: TestClient) -> None:
    """Each fault says which lead, where, what came and what is allowed."""
    events = [
        {"event_id": "e1", "kind": "page_vew", "at": "2025-10-19T09:00:00"},
        {"event_id": "e1", "kind": "page_view", "at": "2025-10-19T09:00:00", "labels": {"curse": "x"}},
        {"event_id": "e2", "kind": "trial", "at": "2099-01-01T00:00:00", "arrived_at": "2025-10-01T00:00:00"},
    ]
    wrong = new_lead(channel="tv", attributes={"city": 7, "bugdet": 1, "budget": "much"}, events=events)

    found = faults(client, {"lead_id": "hot"}, {"lead_id": "nobody"}, wrong, new_lead(lead_id="hot"))

    assert [(fault["index"], fault["pointer"], fault["came"]) for fault in found] == [
        (1, "#/leads/1/lead_id", "nobody"),
        (2, "#/leads/2/channel", "tv"),
        (2, "#/leads/2/attributes/city", "7"),
        (2, "#/leads/2/attributes/bugdet", "bugdet"),
        (2, "#/leads/2/attributes/budget", "much"),
        (2, "#/leads/2/events/0/event_id", "e1"),
        (2, "#/leads/2/events/0/kind", "page_vew"),
        (2, "#/leads/2/events/1/event_id", "e1"),
        (2, "#/leads/2/events/1/labels/curse", "curse"),
        (2, "#/leads/2/events/2/at", "2099-01-01T00:00:00"),
        (2, "#/leads/2/events/2/arrived_at", "2025-10-01T00:00:00"),
        (3, "#/leads/3/lead_id", "hot"),
    ]
    allowed = {fault["pointer"]: fault["allowed"] for fault in found}
    assert allowed["#/leads/2/channel"] == "one of: referral, sem"
    assert allowed["#/leads/2/attributes/bugdet"] == "one of: budget, city; did you mean budget?"
    assert allowed["#/leads/2/events/0/kind"].endswith("did you mean page_view?")


@pytest.mark.parametrize(
    ("lead", "pointer"),
    [
        ({}, "#/leads/0/lead_id"),
        ({"lead_id": ""}, "#/leads/0/lead_id"),
        ({"lead_id": 7}, "#/leads/0/lead_id"),
        ({"lead_id": "a\u0000b"}, "#/leads/0/lead_id"),
        ({"lead_id": "new-1", "channel": "sem"}, "#/leads/0/created_at"),
        ({"lead_id": "new-1", "colour": "red"}, "#/leads/0/colour"),
        (new_lead(created_at="yesterday"), "#/leads/0/created_at"),
        (new_lead(created_at=1_760_000_000), "#/leads/0/created_at"),
        (new_lead(created_at="0001-01-01T00:00:00+08:00"), "#/leads/0/created_at"),
        (new_lead(created_at="9999-12-31T23:59:59-08:00"), "#/leads/0/created_at"),
        (new_lead(attributes={"budget": True}), "#/leads/0/attributes/budget"),
        (new_lead(attributes={"budget": [1]}), "#/leads/0/attributes/budget"),
        (new_lead(attributes={"budget": 10**400}), "#/leads/0/attributes/budget"),
        ("hot", "#/leads/0"),
        (None, "#/leads/0"),
    ],
)
def test_a_malformed_lead_is_a_fault(client: TestClient, lead: object, pointer: str) -> None:
    """Whatever JSON brings, the answer points at it."""
    found = faults(client, lead)

    assert [fault["pointer"] for fault in found] == [pointer]


@pytest.mark.parametrize("count", [0, 1001])
def test_one_to_a_thousand_leads_are_asked_for(client: TestClient, count: int) -> None:
    """No leads, or more than a thousand, are one fault."""
    found = faults(client, *[{"lead_id": "hot"}] * count)

    assert [fault["pointer"] for fault in found] == ["#/leads"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"leads": [{"lead_id": "\\ud800"}]}', b'{"leads": [{"lead_id": NaN}]}', b"\xff"],
)
def test_a_body_that_cannot_be_read_is_a_problem(client: TestClient, body: bytes) -> None:
    """Broken JSON, broken text and numbers that are none end in a 4xx problem document."""
    answer = client.post("/v1/scores", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_future_and_the_time_before_a_lead_cannot_be_asked_about(client: TestClient) -> None:
    """An as_of beyond now, or before a lead was created, is a fault."""
    beyond = faults(client, {"lead_id": "hot"}, as_of=from_micros(WALL + DAY).isoformat())
    before = faults(client, {"lead_id": "hot"}, as_of="2025-01-01T00:00:00")
    unborn = faults(client, new_lead(), as_of="2025-10-01T00:00:00")

    assert [fault["pointer"] for fault in beyond] == ["#/as_of"]
    assert [fault["pointer"] for fault in before] == ["#/leads/0"]
    assert [fault["pointer"] for fault in unborn] == ["#/leads/0"]


def test_an_unknown_target_is_a_fault(client: TestClient) -> None:
    """A target is one of the site's."""
    found = faults(client, {"lead_id": "hot"}, target="renewal")

    assert found == [
        {"pointer": "#/target", "came": "renewal", "allowed": "one of: first_order, second_order", "index": None}
    ]
