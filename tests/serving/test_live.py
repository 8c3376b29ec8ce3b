"""Live facts over HTTP: each counts in the next answer, once, from when it arrived; a person forgotten stays so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.erasure import erase_people
from features.log import Log, NewEdge
from leadlight.database import open_database
from leadlight.schema import DAY, HOUR, MINUTE, from_micros
from serving.desk import open_desk
from serving.rows import write_rows
from tests.serving.serving_builders import NOON, School, build_school, certify_champion
from tests.traces import files_with


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    """A school of its own, which these tests write to."""
    made = build_school(tmp_path_factory.mktemp("live"))
    certify_champion(made)
    return made


@pytest.fixture(scope="module")
def client(school: School) -> Iterator[TestClient]:
    """A client of its server."""
    with TestClient(school.app()) as opened:
        yield opened


def event(event_id: str, lead_id: str, kind: str = "page_view", at: int = NOON, **more: object) -> dict[str, Any]:
    return {"event_id": event_id, "lead_id": lead_id, "kind": kind, "at": from_micros(at).isoformat(), **more}


def post(client: TestClient, *events: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v1/events", json={"events": events})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def tag(client: TestClient, lead_id: str, name: str) -> Any:  # noqa: ANN401  # JSON
    answer = client.get(f"/v1/leads/{lead_id}/tags", params={"names": name})
    assert answer.status_code == 200, answer.text
    return answer.json()["tags"][0]["value"]


def score(client: TestClient, lead_id: str) -> dict[str, Any]:
    answer = client.post("/v1/scores", json={"leads": [{"lead_id": lead_id}]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["scores"][0])


def test_an_event_counts_in_the_next_score_and_once(client: TestClient) -> None:
    """What is sent again changes nothing."""
    before, raw = tag(client, "L001", "trials_7d"), score(client, "L001")["raw"]

    first = post(client, event("t1", "L001", "trial"))
    after, later = tag(client, "L001", "trials_7d"), score(client, "L001")["raw"]
    again = post(client, event("t1", "L001", "trial"))

    assert first["results"] == ["added"]
    assert first["leads"] == ["L001"]
    assert again["results"] == ["unchanged"]
    assert again["seq"] == first["seq"]
    assert (before, after) == (0, 1)
    assert later > raw
    assert tag(client, "L001", "trials_7d") == 1


def test_a_correction_counts_from_its_arrival(client: TestClient) -> None:
    """The moment before it still sees the old fact."""
    post(client, event("c1", "L002", "follow_up", labels={"status": "pending"}))
    between = client.get("/v1/leads/L002/tags", params={"names": "status"}).json()["as_of"]
    corrected = post(client, event("c1", "L002", "follow_up", labels={"status": "intention_clear"}))

    then = client.get("/v1/leads/L002/tags", params={"names": "status", "as_of": between}).json()
    assert corrected["results"] == ["corrected"]
    assert tag(client, "L002", "status") == "intention_clear"
    assert then["tags"][0]["value"] == "pending"


def test_an_event_of_the_base_keeps_its_lead(client: TestClient) -> None:
    """The id of an event that the company's files have of another lead is refused, and stays its lead's."""
    taken = event("hot-follow-up", "L005", "follow_up", labels={"status": "pending"})
    refused = client.post("/v1/events", json={"events": [event("free", "L005"), taken]})

    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == "#/events/1/event_id"
    assert "is an event of another lead" in refused.json()["errors"][0]["came"]


def test_an_event_of_the_base_is_corrected_too(client: TestClient) -> None:
    """What a build took from the company's files is superseded by id."""
    assert tag(client, "hot", "status") == "intention_clear"
    result = post(
        client, event("hot-follow-up", "hot", "follow_up", at=NOON - 2 * HOUR, labels={"status": "in_contact"})
    )
    assert result["results"] == ["corrected"]
    assert tag(client, "hot", "status") == "in_contact"


def test_a_new_lead_is_scored_at_once(client: TestClient) -> None:
    """A lead is told once with its channel; a second version replaces its attributes."""
    lead = {"channel": "referral", "attributes": {"city": "上海", "budget": 900}, "phone": "15112348109"}
    told = client.put("/v1/leads/fresh-1", json=lead)
    assert told.status_code == 200, told.text
    assert told.json()["results"] == ["added"]
    assert score(client, "fresh-1")["probability"] > 0
    assert tag(client, "fresh-1", "city") == "上海"
    shown = client.get("/v1/leads/fresh-1").json()
    assert shown["contact"] == "151****8109"

    client.put("/v1/leads/fresh-1", json={"attributes": {"city": "北京"}})
    assert tag(client, "fresh-1", "city") == "北京"
    assert tag(client, "fresh-1", "budget") is None


def test_an_outcome_takes_a_lead_out_of_the_population(client: TestClient) -> None:
    """The score is locked from the order on."""
    assert score(client, "L003")["locks"] == []
    answer = client.post("/v1/outcomes", json={"outcomes": [event("o1", "L003", "order", amount=199_000)]})
    assert answer.status_code == 200, answer.text
    assert score(client, "L003")["locks"][0]["kind"] == "left"
    refused = client.post("/v1/outcomes", json={"outcomes": [event("o2", "L003", "page_view")]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/outcomes/0/kind"


def test_a_shared_phone_makes_one_person(client: TestClient) -> None:
    """Histories count as one under the oldest lead, whichever id is asked for; a reviewer's word parts them again."""
    for lead_id in ("twin-1", "twin-2"):
        assert client.put(f"/v1/leads/{lead_id}", json={"channel": "sem", "phone": "13800138000"}).status_code == 200
    post(client, event("w1", "twin-1"), event("w2", "twin-2"))

    assert tag(client, "twin-1", "pages_7d") == tag(client, "twin-2", "pages_7d") == 2
    assert score(client, "twin-2")["lead_id"] == "twin-1"


def test_another_process_writes_and_parts(client: TestClient, school: School) -> None:
    """The server hears of what others append to the log."""
    log = Log(open_database(school.site, school.state))
    clock = client.get("/v1/leads/twin-1/tags", params={"names": "city"}).json()["as_of"]
    assert clock
    log.append([NewEdge("twin-2", None, "apart", "review", "two sisters")], now=lambda: log.look().newest + 5, base={})

    assert score(client, "twin-2")["lead_id"] == "twin-2"
    assert tag(client, "twin-1", "pages_7d") == 1


def test_a_batch_is_kept_whole_or_refused_with_all_faults(client: TestClient) -> None:
    """Nothing of a refused batch is kept, and every fault has its place."""
    wrong = [
        event("b1", "L004"),
        event("b2", "L004", "page_vew"),
        event("b3", "L004", labels={"curse": "x"}),
        event("b4", "L004", at=NOON + 400 * DAY),
    ]
    answer = client.post("/v1/events", json={"events": wrong})
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [
        "#/events/1/kind",
        "#/events/2/labels/curse",
        "#/events/3/at",
    ]
    assert post(client, event("b1", "L004"))["results"] == ["added"]

    unknown = client.post("/v1/events", json={"events": [event("b5", "nobody"), event("b1", "L005")]})
    assert [fault["pointer"] for fault in unknown.json()["errors"]] == ["#/events/0/lead_id", "#/events/1/event_id"]


def test_many_writers_at_once_lose_nothing(client: TestClient) -> None:
    """Every event of eight threads is there once, and the next answer counts them all."""

    def send(number: int) -> int:
        return client.post("/v1/events", json={"events": [event(f"m{number}", "L006", at=NOON + number)]}).status_code

    before = tag(client, "L006", "pages_7d")
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(send, range(60))) == {200}
    assert tag(client, "L006", "pages_7d") == before + 60


def test_a_forgotten_person_stays_forgotten(client: TestClient, school: School) -> None:
    """Every trace goes, whatever is sent again is refused, and the answer says what went."""
    client.put("/v1/leads/gone-1", json={"channel": "sem", "phone": "13900139000", "attributes": {"city": "杭州"}})
    post(client, event("g1", "gone-1"))
    assert tag(client, "gone-1", "city") == "杭州"

    erased = client.delete("/v1/leads/gone-1")
    assert erased.status_code == 200, erased.text
    assert erased.json()["leads"] == ["gone-1"]
    assert erased.json()["removed"]["log/events"] == 1
    assert client.get("/v1/leads/gone-1/tags").status_code == 404
    again = client.post("/v1/events", json={"events": [event("g1", "gone-1")]})
    assert again.status_code == 422
    assert "erased" in again.text
    assert client.put("/v1/leads/gone-1", json={"channel": "sem"}).status_code == 422
    assert files_with(school.state, "gone-1", "杭州") == []


def test_a_recorded_person_is_forgotten(client: TestClient, school: School) -> None:
    """A lead of the base goes from its files too."""
    erased = client.delete("/v1/leads/L007").json()
    assert erased["removed"]["history/leads"] == 1
    assert client.post("/v1/scores", json={"leads": [{"lead_id": "L007"}]}).status_code == 422
    assert files_with(school.state, "L007") == []


def test_answers_go_on_when_time_passes(school: School) -> None:
    """A row that has expired is swept; what is answered is the same as without rows."""
    now = [NOON + MINUTE]
    with TestClient(school.app(wall=lambda: now[0])) as client:
        assert tag(client, "L001", "pages_7d") is not None


def test_no_contact_is_kept_in_clear(client: TestClient, school: School) -> None:
    """Phone, WeChat and e-mail are in no file of the state, however they came."""
    contacts = {
        "phone": "15812345678",
        "wechat": "wx_union_4711",
        "email": "someone@example.com",
        "device": "dev-0815-x",
    }
    assert client.put("/v1/leads/private", json={"channel": "sem", **contacts}).status_code == 200
    assert files_with(school.state, *contacts.values()) == []


def test_a_row_that_is_written_while_its_lead_is_erased_does_not_stay(school: School) -> None:
    """Who writes it has read the facts before, and hears of the erasure only afterwards."""
    desk = open_desk(school.site, school.catalogue, school.state, Log(open_database(school.site, school.state)))
    assert desk.past.facts(["L009"])
    erase_people(school.site, school.catalogue, ["L009"], state=school.state, at=NOON)

    write_rows(desk, ["L009"], NOON)

    assert desk.store.read_leads(["L009"]) == {"L009": None}


def test_a_new_lead_of_a_later_day_moves_the_clock(client: TestClient) -> None:
    """Where facts tell the time the creation of a lead does: what was answered of it stays the answer."""
    later = {"channel": "sem", "created_at": from_micros(NOON + 5 * DAY).isoformat()}
    assert client.put("/v1/leads/of-a-later-day", json=later).status_code == 200
    first = score(client, "of-a-later-day")

    post(client, event("of-a-later-day-1", "of-a-later-day", "trial", at=NOON + 4 * DAY))

    asked = {"leads": [{"lead_id": "of-a-later-day"}], "as_of": first["as_of"]}
    again = client.post("/v1/scores", json=asked).json()["scores"][0]
    assert again["raw"] == first["raw"]
    assert score(client, "of-a-later-day")["raw"] != first["raw"]
