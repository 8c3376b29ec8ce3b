"""Another question of the demo, by configuration alone: its own model, verdict, champion and list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journey.test_journey import DEMO, answer, leadlight, served

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo with a champion for those who may come back, and with none for its first question."""
    folder = tmp_path_factory.mktemp("questions") / "state"
    trained = answer("train", DEMO, "--target", "recall", "--state", folder)
    assert trained["verdict"] == "promote"
    answer("promote", DEMO, "--target", "recall", "--state", folder)
    return folder


def test_the_list_of_quiet_leads_is_what_http_answers(state: Path) -> None:
    """Bulk and HTTP agree on numbers and on who is quiet; the first question has no champion, so no answer."""
    out = state / "recall.jsonl"
    answer("score", DEMO, "--target", "recall", "--out", out, "--state", state)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    some = lines[:: len(lines) // 40]
    others = sorted({f"L{number:06d}" for number in range(1, 12_000, 300)} - {line["lead_id"] for line in lines})

    with served(DEMO, state) as client:
        asked = {"target": "recall", "leads": [{"lead_id": line["lead_id"]} for line in some]}
        scores = client.post("/v1/scores", json=asked).json()["scores"]
        rest = client.post("/v1/scores", json={**asked, "leads": [{"lead_id": name} for name in others]}).json()
        first = client.post("/v1/scores", json={"leads": asked["leads"]})

    told = ("lead_id", "probability", "grade", "model_version")
    assert [[score[name] for name in told] for score in scores] == [[line[name] for name in told] for line in some]
    listed = {line["lead_id"] for line in lines}
    assert all(score["locks"] or score["lead_id"] in listed for score in rest["scores"])  # under its person's name
    assert any(lock["until"] for score in rest["scores"] for lock in score["locks"])
    assert first.status_code == 503


def test_too_few_renewals_are_not_enough_evidence(state: Path) -> None:
    """A question that the made school is too young for says so, and nothing of it goes live."""
    trained = json.loads(leadlight("train", DEMO, "--target", "renewal", "--state", state, "--json").stdout)
    refused = leadlight("promote", DEMO, "--target", "renewal", "--state", state)

    assert trained["verdict"] == "not_enough_evidence"
    assert refused.returncode == 1
