"""What else can be asked: a lead, the model, health, and the description of it all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from serving.champion import Champion
from serving.models import describe
from serving.schemas import Score, ScoresRequest
from serving.schemas_leads import LeadAnswer
from serving.schemas_models import ModelAnswer, ServingModel
from tests.serving.serving_builders import School


def test_a_lead_is_shown_with_its_known_facts_and_its_score(client: TestClient) -> None:
    """Attributes, masked contact and events, the newest first, as known at the score's as_of."""
    answer = client.get("/v1/leads/hot", params={"as_of": "2025-10-19T17:00:00+08:00"})

    lead = TypeAdapter(LeadAnswer).validate_json(answer.content, strict=True)
    assert (lead.contact, lead.channel, lead.attributes) == (
        "151****8109",
        "referral",
        {"city": "上海", "budget": 3000.0},
    )
    assert [event.at for event in lead.events] == sorted((event.at for event in lead.events), reverse=True)
    assert max(event.arrived_at for event in lead.events) <= lead.score.as_of
    assert "hot-follow-up" not in {event.event_id for event in lead.events}
    assert lead.score.grade is not None


def test_a_lead_id_may_have_any_sign(client: TestClient) -> None:
    """Slashes and brackets in an id are part of it."""
    answer = client.get("/v1/leads/a%2Fb%20%3Ci%3E")

    assert answer.status_code == 200
    assert answer.json()["lead_id"] == "a/b <i>"


def test_an_unknown_lead_is_not_found(client: TestClient) -> None:
    """404 says what came and where new leads are scored."""
    answer = client.get("/v1/leads/nobody")

    assert answer.status_code == 404
    assert "nobody" in answer.json()["detail"]
    assert "POST /v1/scores" in answer.json()["detail"]


def test_a_bad_query_is_a_fault(client: TestClient) -> None:
    """Query parameters are checked like bodies."""
    wrong = client.get("/v1/leads/hot", params={"as_of": "yesterday"})
    unknown = client.get("/v1/model", params={"target": "renewal"})

    assert [fault["pointer"] for fault in wrong.json()["errors"]] == ["#/as_of"]
    assert [fault["pointer"] for fault in unknown.json()["errors"]] == ["#/target"]


def test_the_model_shows_its_certificate(client: TestClient) -> None:
    """Version, hash, verdict, rules and the signed certificate of the champion."""
    model = TypeAdapter(ModelAnswer).validate_json(client.get("/v1/model").content)

    assert (model.target, model.version, model.verdict) == ("first_order", "1", "promote")
    assert model.certificate["certificate"]["bundle_sha256"] == model.bundle_sha256
    assert len(model.certificate["signature"]) == 128
    assert model.findings["rules"][0]["name"] == "precision"


def test_whoever_relies_on_a_model_sees_why_it_may_answer(client: TestClient) -> None:
    """Its age, rung and rules with their numbers; as a problem where there is no such target or no champion."""
    answer = client.get("/v1/models/first_order")
    unknown, none = client.get("/v1/models/third_order"), client.get("/v1/models/second_order")

    model = TypeAdapter(ServingModel).validate_json(answer.content, strict=True)
    assert (model.target, model.version, model.verdict, model.challenger) == ("first_order", "1", "promote", None)
    assert [(rule["name"], rule["lower"]) for rule in model.rules] == [("precision", 0.9), ("recall", 0.9)]
    assert (model.hashes["data"], model.leaks, model.notes) == ("made", {}, ())
    assert model.rung == client.post("/v1/scores", json={"leads": [{"lead_id": "hot"}]}).json()["scores"][0]["rung"]
    assert (unknown.status_code, none.status_code) == (404, 503)
    assert "first_order, second_order" in unknown.json()["detail"]
    assert "leadlight promote" in none.json()["detail"]


def test_a_vouched_leak_is_shown_with_the_sites_reason(school: School, champion: Champion) -> None:
    """By the column's name or its entry's; beside it whatever the gate remarked, and what else it signed."""
    site = school.site.model_copy(update={"leaks": {"city": "typed by the lead", "pages": "dated", "other": "none"}})
    findings = {**champion.certificate.findings, "notes": ["a remark"], "looks": 3}
    judged = replace(champion, certificate=replace(champion.certificate, findings=findings))

    found = describe(site, judged, champion)

    assert found.leaks == {"city": "typed by the lead", "pages_2d": "dated", "pages_7d": "dated"}
    assert (found.notes, found.certificate) == (("a remark",), {"looks": 3})
    assert found.challenger is not None
    assert found.challenger.bundle_sha256 == champion.bundle.sha256


def test_readiness_lists_every_target(client: TestClient) -> None:
    """Targets without a champion are named too."""
    health = client.get("/healthz").json()
    assert (health["status"], health["journal"]["failing"], health["journal"]["lost"]) == ("ok", False, 0)
    assert client.get("/readyz").json() == {"status": "ready", "champions": {"first_order": "1", "second_order": None}}


def test_openapi_describes_every_route_and_error(client: TestClient) -> None:
    """Each operation has words, a shape for its answer, and problem documents for its errors."""
    document: dict[str, Any] = client.get("/openapi.json").json()

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert set(document["paths"]) == {
        "/v1/events",
        "/v1/outcomes",
        "/v1/scores",
        "/v1/leads/{lead_id}",
        "/v1/leads/{lead_id}/tags",
        "/v1/leads/{lead_id}/profile",
        "/v1/model",
        "/v1/models/{target}",
        "/healthz",
        "/readyz",
    }
    for operation in operations:
        assert operation["description"]
        assert "$ref" in operation["responses"]["200"]["content"]["application/json"]["schema"]
        for status, response in operation["responses"].items():
            assert status == "200" or list(response["content"]) == ["application/problem+json"]
    assert "ProblemDocument" in document["components"]["schemas"]


def test_the_examples_of_openapi_are_valid(client: TestClient) -> None:
    """Every example of a request can be sent as it is, and those of answers have their shape."""
    schemas = client.get("/openapi.json").json()["components"]["schemas"]

    examples = schemas["ScoresRequest"]["examples"]
    assert len(examples) == 2
    for example in examples:
        ScoresRequest.model_validate(example)
    for shape in (Score, ServingModel):
        for example in schemas[shape.__name__]["examples"]:
            TypeAdapter(shape).validate_json(json.dumps(example), strict=True)
    assert schemas["Score"]["examples"]
