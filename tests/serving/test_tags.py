"""A lead's tags: the values that scores are made of, in words, at the moment they are true of."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from features.catalogue import Column
from features.history import Value
from leadlight.model.bundle import NO_LEVEL
from leadlight.schema import HOUR, from_micros
from serving.champion import Champion
from serving.schemas_tags import ProfileAnswer, TagsAnswer, Telling
from serving.telling import most_telling
from tests.serving.serving_builders import NOON, School

CHANNELS = {"columns": {"channel": {"levels": {"sem": 300, "referral": 100}, "missing": 0.0, "rare": 0}}}


def tags(client: TestClient, lead_id: str = "hot", *, language: str = "en", **query: str) -> dict[str, dict[str, Any]]:
    """The tags of a lead by name."""
    answer = client.get(f"/v1/leads/{lead_id}/tags", params=query, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Language"] == language
    TypeAdapter(TagsAnswer).validate_json(answer.content, strict=True)
    return {tag["name"]: tag for tag in answer.json()["tags"]}


def test_tags_are_answered_in_words_in_the_order_of_the_names(client: TestClient) -> None:
    """By column or by entry, each column once, in either language."""
    english = tags(client, names="status, pages,city,pages_7d")
    chinese = tags(client, names="status,pages,city", language="zh")

    assert list(english) == ["status", "pages_2d", "pages_7d", "city"]
    assert (english["status"]["what"], english["status"]["value_words"]) == ("follow-up status", "intention clear")
    assert (chinese["status"]["what"], chinese["status"]["value_words"]) == ("当前跟进状态", "意向明确")
    assert english["status"]["value"] == chinese["status"]["value"] == "intention_clear"
    assert english["city"]["value_words"] == "上海"


def test_without_names_all_are_answered(client: TestClient, school: School) -> None:
    """Every column of the catalogue, in its order."""
    assert list(tags(client)) == [column.name for column in school.catalogue.columns]


def test_tags_are_the_values_that_the_score_used(client: TestClient) -> None:
    """Whatever a reason names has the same value here, at the same moment."""
    moment = from_micros(NOON - 3 * HOUR).isoformat()
    score = client.get("/v1/leads/hot", params={"as_of": moment}).json()["score"]
    used = {feature["name"]: feature["value"] for reason in score["reasons"] for feature in reason["features"]}

    answered = {name: tag["value"] for name, tag in tags(client, as_of=moment).items()}

    assert len(used) >= 3
    assert {name: answered[name] for name in used} == used


def test_a_tag_says_of_which_moment_it_is_true_and_how_long(client: TestClient) -> None:
    """A value is the same just before its ``valid_until``; the hours since the last activity are others at it."""
    first = tags(client, names="idle,orders_of_all,newcomers", as_of=from_micros(NOON + 7 * HOUR // 2).isoformat())
    until = first["idle"]["valid_until"]
    day = first["orders_of_all_7d"]["valid_until"]

    assert {tag["as_of"] for tag in first.values()} == {"2025-10-20T07:30:00Z"}
    assert tags(client, names="idle", as_of=until)["idle"]["value"] == first["idle"]["value"] + 1
    before = TypeAdapter(TagsAnswer).validate_python(
        client.get("/v1/leads/hot/tags", params={"names": "idle", "as_of": _just_before(until)}).json()
    )
    assert before.tags[0].value == first["idle"]["value"]
    assert day == "2025-10-20T18:00:00Z"  # local midnight and the largest delay, 2 h
    assert first["newcomers_7d"]["valid_until"] == day


def test_a_value_that_time_alone_cannot_change_has_no_end(client: TestClient) -> None:
    """``valid_until`` is null for ever, here of a lead none of whose facts can leave a window or tick."""
    quiet = tags(client, "converted", names="city")

    assert quiet["city"]["valid_until"] is None
    assert (quiet["city"]["value"], quiet["city"]["value_words"]) == (None, "unknown")


def test_every_unknown_name_is_told_with_what_is_near(client: TestClient) -> None:
    """One 422 lists all of them; valid ones beside them are not answered."""
    answer = client.get("/v1/leads/hot/tags", params={"names": "citty,pages,stats,"})

    errors = answer.json()["errors"]
    assert answer.status_code == 422
    assert [error["came"] for error in errors] == ["citty", "stats", ""]
    assert "did you mean city?" in errors[0]["allowed"]
    assert "status" in errors[1]["allowed"]
    assert "did you mean" not in errors[2]["allowed"]
    assert "profile" in errors[2]["allowed"]


@pytest.mark.parametrize("what", ["tags", "profile"])
def test_a_lead_that_is_not_there_is_not_found(client: TestClient, what: str) -> None:
    """404 as a problem document, whatever else the question says."""
    answer = client.get(f"/v1/leads/nobody/{what}", params={"as_of": "2025-10-19T12:00"})

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "nobody" in answer.json()["detail"]


@pytest.mark.parametrize("what", ["tags", "profile"])
def test_a_moment_without_the_lead_is_a_fault(client: TestClient, what: str) -> None:
    """Before it was created, and after now, there is nothing to say."""
    before = client.get(f"/v1/leads/hot/{what}", params={"as_of": "2025-10-01T12:00"})
    future = client.get(f"/v1/leads/hot/{what}", params={"as_of": "2035-10-01T12:00"})

    assert (before.status_code, future.status_code) == (422, 422)
    assert "created" in before.json()["errors"][0]["allowed"]
    assert future.json()["errors"][0]["pointer"] == "#/as_of"


def test_an_id_with_slashes_is_a_lead_too(client: TestClient) -> None:
    """What stands before the last part of the path is the id."""
    answer = client.get("/v1/leads/a%2Fb%20%3Ci%3E/tags", params={"names": "city"})

    assert answer.json()["lead_id"] == "a/b <i>"


def test_a_profile_has_every_tag_in_its_theme(client: TestClient, school: School) -> None:
    """The themes together are the catalogue."""
    content = client.get("/v1/leads/hot/profile").content
    profile = TypeAdapter(ProfileAnswer).validate_json(content, strict=True)

    themes = {
        theme: [tag.name for tag in getattr(profile, theme)]
        for theme in ("value", "life_cycle", "behaviour", "channel_profile")
    }
    assert themes == {
        theme: [column.name for column in school.catalogue.columns if column.entry.theme == theme] for theme in themes
    }
    assert sum(map(len, themes.values())) == len(school.catalogue.columns)
    assert profile.as_of == from_micros(school.clock)


def test_completeness_counts_the_known_attributes(client: TestClient) -> None:
    """Features of behaviour are never incomplete; an unknown target is a fault, one without a champion is none."""
    hot = client.get("/v1/leads/hot/profile").json()["completeness"]
    bare = client.get("/v1/leads/converted/profile", params={"target": "second_order"})

    assert (hot["known"], hot["of"], hot["share"], hot["missing"]) == (3, 3, 1.0, [])
    assert bare.json()["completeness"]["missing"] == ["city", "budget"]
    assert bare.json()["completeness"]["share"] == pytest.approx(1 / 3)
    assert bare.json()["completeness"]["most_telling"] is None
    assert client.get("/v1/leads/hot/profile", params={"target": "renewal"}).status_code == 422


def telling(
    champion: Champion, school: School, reference: dict[str, Any], values: dict[str, Value], *missing: str
) -> Telling | None:
    """What would tell this champion most about a lead, had its training rows been distributed so."""
    informed = replace(champion, bundle=replace(champion.bundle, reference=reference))
    columns: list[Column] = [column for column in school.catalogue.columns if column.name in missing]
    return most_telling(informed, school.catalogue, values, columns, "en")


def test_the_missing_fact_that_tells_most_is_what_the_model_says(champion: Champion, school: School) -> None:
    """The mean way of the model's own log-odds from now to each value that the fact may have, by how frequent it is."""
    values: dict[str, Value] = dict.fromkeys((column.name for column in champion.columns), None) | {"trials_7d": 1}
    now, sem, referral = champion.bundle.model.margin(
        {name: [value, value, value] for name, value in values.items()} | {"channel": [None, "sem", "referral"]}
    )
    city = {"levels": {}, "missing": 0.5, "rare": 10}
    expected = 0.75 * abs(sem - now) + 0.25 * abs(referral - now)
    beyond = champion.bundle.model.margin({name: [v] for name, v in values.items()} | {"city": [NO_LEVEL]})[0]

    found = telling(champion, school, {"columns": CHANNELS["columns"] | {"city": city}}, values, "city", "channel")
    alone = telling(champion, school, {"columns": {"city": city}}, values, "city")

    assert found is not None
    assert (found.name, found.what) == ("channel", "channel")
    assert found.points == pytest.approx(expected)
    assert found.percentage_points > 0
    assert expected > abs(beyond - now)
    assert (0.0 if alone is None else alone.points) == pytest.approx(abs(beyond - now))


def test_a_model_that_cannot_say_says_nothing(champion: Champion, school: School) -> None:
    """Without the distribution of a missing fact, or without a missing fact, there is no answer."""
    values: dict[str, Value] = dict.fromkeys((column.name for column in champion.columns), None)

    assert telling(champion, school, {}, values, "channel") is None
    assert telling(champion, school, CHANNELS, values, "channel", "city") is None
    assert telling(champion, school, CHANNELS, values) is None


def test_numbers_are_guessed_by_their_deciles(champion: Champion, school: School) -> None:
    """Each decile counts alike."""
    values: dict[str, Value] = dict.fromkeys((column.name for column in champion.columns), None)
    deciles = [float(value) for value in range(500, 6000, 500)]
    reference = {"columns": {"budget": {"deciles": deciles, "missing": 0.5}}}
    rows: dict[str, list[Value]] = {name: [value] * 12 for name, value in values.items()}
    margins = champion.bundle.model.margin(rows | {"budget": [None, *deciles]})

    found = telling(champion, school, reference, values, "budget")

    assert (0.0 if found is None else found.points) == pytest.approx(np.abs(margins[1:] - margins[0]).mean())


def _just_before(moment: str) -> str:
    """A microsecond earlier."""
    return (dt.datetime.fromisoformat(moment) - dt.timedelta(microseconds=1)).isoformat()
