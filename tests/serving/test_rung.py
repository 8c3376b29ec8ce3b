"""How far the evidence carried the model is said in every answer."""

from __future__ import annotations

from fastapi.testclient import TestClient

from serving.champion import Champion
from serving.schemas import Score


def test_every_answer_says_the_rung_of_its_model(client: TestClient, champion: Champion) -> None:
    """Scored and locked leads alike name the champion's rung, as the bundle has it."""
    answer = client.post("/v1/scores", json={"leads": [{"lead_id": "hot"}, {"lead_id": "converted"}]})

    rungs = [score["rung"] for score in answer.json()["scores"]]
    assert rungs == [champion.bundle.model.rung] * 2


def test_openapi_lists_the_rungs_and_shows_one(client: TestClient) -> None:
    """The field is required, has five values, and stands in the example."""
    schema = client.get("/openapi.json").json()["components"]["schemas"][Score.__name__]

    assert "rung" in schema["required"]
    assert schema["properties"]["rung"]["enum"] == ["base_rate", "scorecard", "logistic", "blend", "trees"]
    assert schema["examples"][0]["rung"] == "blend"
