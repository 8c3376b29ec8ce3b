"""Scores over HTTP: what is asked, in order, with probabilities, grades and reasons that belong together."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from leadlight.schema import DAY, HOUR, from_micros
from serving.reasons import to_probability
from serving.schemas import ScoresAnswer
from tests.serving.serving_builders import NOON, School, new_lead


def scores(client: TestClient, *leads: Any, language: str = "en", **request: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # JSON
    answer = client.post("/v1/scores", json={"leads": leads, **request}, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    found = list(answer.json()["scores"])
    names = [score.pop("answer_id") for score in found]
    assert len({*names}) == len(found)  # each answer has a name of its own; all else is compared below
    return found


def known(*lead_ids: str) -> list[dict[str, str]]:
    return [{"lead_id": lead_id} for lead_id in lead_ids]


def test_scores_come_in_the_order_of_the_request(client: TestClient) -> None:
    """Known, new and repeated leads are answered one by one, in order."""
    asked = [*known("L003", "hot"), new_lead(), *known("L003")]

    found = scores(client, *asked)

    assert [score["lead_id"] for score in found] == ["L003", "hot", "new-1", "L003"]
    assert found[0] == found[3]


def test_an_answer_has_the_shape_that_openapi_promises(client: TestClient) -> None:
    """Every answer, of scored and of locked leads, validates against its own schema."""
    answer = client.post("/v1/scores", json={"leads": [*known("hot", "converted"), new_lead()]})

    read = TypeAdapter(ScoresAnswer).validate_json(answer.content, strict=True)
    assert [bool(score.locks) for score in read.scores] == [False, True, False]


def test_reasons_sum_to_the_score(client: TestClient) -> None:
    """Base plus points is raw, raw is the probability's log-odds, percentage points cover the way from the base."""
    for score in scores(client, *known("hot", "L003"), new_lead()):
        raw = score["base"] + math.fsum(reason["points"] for reason in score["reasons"])
        covered = math.fsum(reason["percentage_points"] for reason in score["reasons"]) / 100

        assert raw == pytest.approx(score["raw"], abs=1e-9)
        assert to_probability(score["raw"]) == pytest.approx(score["probability"], abs=1e-12)
        assert score["base_probability"] + covered == pytest.approx(score["probability"], abs=1e-9)
        for reason in score["reasons"]:
            parts = math.fsum(feature["points"] for feature in reason["features"])
            assert parts == pytest.approx(reason["points"], abs=1e-12)


def test_interval_grade_and_percentile_belong_to_the_probability(client: TestClient) -> None:
    """The interval holds the probability, and who is likelier has no worse grade and no smaller score."""
    found = scores(client, *known("hot", "L000", "L003", "L007"))
    found.sort(key=lambda score: -score["probability"])

    assert all(score["interval"]["low"] <= score["probability"] <= score["interval"]["high"] for score in found)
    assert [score["grade"] for score in found] == sorted(score["grade"] for score in found)
    assert [score["score"] for score in found] == sorted((score["score"] for score in found), reverse=True)


def test_a_new_lead_is_scored_as_the_same_lead_in_the_history(client: TestClient) -> None:
    """The facts of a known lead, sent inline under another id at the same moment, give the same score."""
    (of_known,) = scores(client, *known("hot"))
    facts = client.get("/v1/leads/hot").json()
    inline = new_lead(
        created_at=facts["created_at"],
        channel=facts["channel"],
        attributes=facts["attributes"],
        events=[{name: value for name, value in event.items() if value is not None} for event in facts["events"]],
    )

    (of_inline,) = scores(client, inline, as_of=of_known["as_of"])

    same = ("probability", "interval", "score", "grade", "raw", "reasons", "as_of")
    assert {name: of_inline[name] for name in same} == {name: of_known[name] for name in same}


def test_a_new_lead_is_asked_just_after_its_newest_fact(client: TestClient, school: School) -> None:
    """A fact newer than the clock still counts, and moves the moment of the question."""
    newer = from_micros(school.clock + HOUR)
    late = new_lead(events=[{"event_id": "e", "kind": "page_view", "at": newer.isoformat()}])

    early_score, late_score = scores(client, new_lead(), late)

    assert early_score["as_of"] == from_micros(school.clock).isoformat().replace("+00:00", "Z")
    assert late_score["as_of"] == from_micros(school.clock + HOUR + 1).isoformat().replace("+00:00", "Z")
    pages = [f for r in late_score["reasons"] for f in r["features"] if f["name"] == "pages_2d"]
    assert [feature["value"] for feature in pages] == [1]


def test_a_lead_without_any_event_is_scored_from_its_attributes(client: TestClient) -> None:
    """Channel and attributes given at creation count at once."""
    (score,) = scores(client, {"lead_id": "bare", "created_at": "2025-10-20T12:00:00", "channel": "referral"})

    values = {f["name"]: f["value"] for reason in score["reasons"] for f in reason["features"]}
    assert values["channel"] == "referral"
    assert values["city"] is None


def test_reasons_speak_the_language_asked_for(client: TestClient) -> None:
    """Zh and en differ in words and in nothing else."""
    (english,) = scores(client, *known("hot"), language="en")
    (chinese,) = scores(client, *known("hot"), language="zh-CN,zh;q=0.9")

    assert "course pages viewed in the last 7 days: 13" in [reason["words"] for reason in english["reasons"]]
    assert "近7天浏览课程详情次数：13" in [reason["words"] for reason in chinese["reasons"]]
    assert [reason["points"] for reason in chinese["reasons"]] == [reason["points"] for reason in english["reasons"]]


def test_a_converted_lead_answers_its_lock_instead_of_numbers(client: TestClient) -> None:
    """Locks come before numbers: kind, since and words, and nothing that could be ranked."""
    (score,) = scores(client, *known("converted"))

    assert score["locks"] == [
        {
            "kind": "left",
            "name": "left",
            "since": "2025-10-17T04:00:00Z",
            "until": None,
            "who": None,
            "words": "Do not contact: order on 17 Oct 2025",
        }
    ]
    assert [score[name] for name in ("probability", "interval", "score", "grade", "raw")] == [None] * 5
    assert score["reasons"] == []


def test_an_order_locks_from_the_moment_it_is_known(client: TestClient) -> None:
    """Before an order has arrived its lead is scored as if it had not happened."""
    arrives = NOON - HOUR

    (before,) = scores(client, *known("late"), as_of=from_micros(arrives - 1).isoformat())
    (after,) = scores(client, *known("late"), as_of=from_micros(arrives).isoformat())

    assert before["probability"] is not None
    assert before["locks"] == []
    assert after["probability"] is None
    assert [lock["kind"] for lock in after["locks"]] == ["left"]


def test_scores_are_as_of_the_moment_asked_for(client: TestClient) -> None:
    """At an earlier moment later facts do not count."""
    (then,) = scores(client, *known("hot"), as_of=from_micros(NOON - 3 * DAY).isoformat())
    (now,) = scores(client, *known("hot"))

    pages = {f["name"]: f["value"] for reason in then["reasons"] for f in reason["features"]}
    assert pages["pages_7d"] == 3
    assert then["probability"] < now["probability"]


def test_a_thousand_leads_are_scored_at_once(client: TestClient) -> None:
    """The largest request gives each lead the very score it gets alone."""
    (alone,) = scores(client, *known("hot"))

    found = scores(client, *known(*["hot", "L001"] * 500))

    assert len(found) == 1000
    assert found[998] == alone


def test_many_may_ask_at_the_same_time(client: TestClient) -> None:
    """Requests that overlap get the answers they would get alone."""
    lead_ids = [f"L{number:03d}" for number in range(24)] * 4
    alone = {lead_id: scores(client, *known(lead_id)) for lead_id in lead_ids[:24]}

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda lead_id: scores(client, *known(lead_id)), lead_ids))

    assert together == [alone[lead_id] for lead_id in lead_ids]


def test_asking_twice_changes_nothing(client: TestClient) -> None:
    """Reading is idempotent."""
    asked = [*known("hot", "converted"), new_lead()]

    assert scores(client, *asked) == scores(client, *asked)
