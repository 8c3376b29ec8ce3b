"""A second question of the same leads, about those that went quiet: its own champion, grades and population."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.catalogue import load_catalogue
from leadlight.model.bundle import write_bundle
from leadlight.model.certificate import Certificate, signing_key, write_certificate
from leadlight.model.manifest import Origin
from leadlight.schema import DAY, from_micros
from leadlight.settings import load_site
from leadlight.shelf import bundle_folder, keys_folder
from serving.bulk import score_site
from serving.champion import Champion
from tests.serving.serving_builders import NOON, WALL, School, name_champion, school_leads
from training.calibrate import freeze_cuts

BACK = "L021"
"""Of whom a live fact comes."""
RECALL = """
[targets.recall]
zh = "召回"
en = "recall"
outcome = ["order", "page_view", "trial"]
horizon = "30d"
observe = {offsets = ["7d"]}
gate = {precision = 0.3, recall = 0.2}
grades = {A = 0.3, B = 0.3, C = 0.3}
[targets.recall.population]
lacks = ["order"]
quiet = {kinds = ["page_view", "trial"], for = "3d"}
"""


@pytest.fixture(scope="module")
def asking(school: School, champion: Champion, tmp_path_factory: pytest.TempPathFactory) -> School:
    """The school with a champion for each of both questions: one fitted model, with cuts of its own for each."""
    folder = tmp_path_factory.mktemp("asking") / "school"
    shutil.copytree(school.site.folder, folder)
    settings = folder / "leadlight.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + RECALL, encoding="utf-8")
    site = load_site(folder)
    made, target = School(site, load_catalogue(site), folder / "state"), site.targets["recall"]
    model, rows = champion.bundle.model, champion.bundle.golden["rows"]
    written = bundle_folder(made.state, "recall", 4)
    said = model.score(rows).probability
    features = made.catalogue.digest(model.encoder.columns)
    digest = write_bundle(
        written,
        model,
        origin=Origin("recall", target.question, features, "made", 3, 700, 100, NOON),
        cuts=freeze_cuts(said, operate=target.operate, grades=target.grades),
        rows=rows,
        reference={},
    )
    passed = {"rules": [{"name": name, "lower": 0.9, "state": "pass"} for name in ("precision", "recall")]}
    write_certificate(
        written, Certificate(digest, "recall", "promote", passed), key=signing_key(keys_folder(made.state))
    )
    name_champion(made, target="recall", version=4, digest=digest)
    return made


@pytest.fixture(scope="module")
def client(asking: School) -> Iterator[TestClient]:
    """A client of its server."""
    with TestClient(asking.app()) as opened:
        yield opened


def score(client: TestClient, lead_id: str, target: str, **more: str) -> dict[str, Any]:
    """The score of one lead, in English."""
    asked = {"leads": [{"lead_id": lead_id}], "target": target, **more}
    answer = client.post("/v1/scores", json=asked, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["scores"][0])


def test_each_question_has_its_own_champion_and_grades(client: TestClient) -> None:
    """One lead, two answers: each of its question's version, by its own cuts; a question without one has no answer."""
    first, recall = score(client, "L020", "first_order"), score(client, "L020", "recall")
    refused = client.post("/v1/scores", json={"target": "second_order", "leads": [{"lead_id": "L020"}]})
    card = client.get("/leads/L020", params={"target": "recall"})

    assert (first["target"], first["model_version"]) == ("first_order", "1")
    assert (recall["target"], recall["model_version"]) == ("recall", "4")
    assert recall["probability"] == first["probability"]  # the same model, asked another question ...
    assert (recall["grade"], first["grade"]) == ("C", "D")  # ... and graded by other shares
    assert refused.status_code == 503
    assert card.status_code == 200
    assert "recall" in card.text


def test_a_restless_lead_is_locked_until_it_was_quiet(client: TestClient) -> None:
    """A lead with a newer page view, or that came too lately, is told until when; then it is scored."""
    (lock,) = score(client, "hot", "recall")["locks"]
    (young,) = score(client, "L000", "recall", as_of=from_micros(NOON - 4 * DAY).isoformat())["locks"]

    assert (lock["kind"], lock["since"]) == ("not_yet", _sent(NOON))
    assert lock["until"] == _sent(NOON + 3 * DAY + 1)
    assert "viewed a course page on 20 Oct 2025" in lock["words"]
    assert young["until"] > _sent(NOON - 4 * DAY)
    assert score(client, "hot", "first_order")["locks"] == []


def test_the_bulk_list_has_exactly_the_leads_that_http_scores(
    client: TestClient, asking: School, tmp_path: Path
) -> None:
    """Whom the list of quiet leads leaves out is locked over HTTP at that moment, and nobody else."""
    out = tmp_path / "scores.jsonl"
    site, rules = asking.site, asking.catalogue
    done = score_site(site, rules, target="recall", state=asking.state, out=out, wall=WALL, journal=False)
    listed = {json.loads(line)["lead_id"] for line in out.read_text(encoding="utf-8").splitlines()} - {BACK}

    known = [each.lead_id for each in school_leads() if each.lead_id != BACK]
    free = {lead_id for lead_id in known if not score(client, lead_id, "recall")["locks"]}

    assert (done.version, done.left_out, done.leads) == ("4", 0, len(listed) + 1)
    assert listed == free
    assert 10 < len(free) < len(known)


def test_a_sign_of_life_ends_the_quiet_at_once(client: TestClient) -> None:
    """What arrives live counts in the next answer: the lead leaves the population, until it was quiet again."""
    before = score(client, BACK, "recall")
    body = {"event_id": "back", "lead_id": BACK, "kind": "page_view", "at": from_micros(NOON).isoformat()}
    assert client.post("/v1/events", json={"events": [body]}).status_code == 200

    (lock,) = score(client, BACK, "recall")["locks"]

    assert before["locks"] == []
    assert (lock["since"], lock["until"]) == (_sent(NOON), _sent(NOON + 3 * DAY + 1))


def _sent(moment: int) -> str:
    """A moment as answers have it."""
    return from_micros(moment).isoformat().replace("+00:00", "Z")
