"""Every answer is in the journal soon after it was given, whatever the database does, and no answer waits for it."""

from __future__ import annotations

import datetime as dt
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from leadlight.__main__ import app
from leadlight.database import open_database
from leadlight.database.opening import open_postgres, open_sqlite
from leadlight.journal import Answer, answers, keep
from leadlight.schema import from_micros, to_micros
from leadlight.settings import UsageError
from leadlight.shelf import challenger_file
from serving.bulk import score_open_leads, score_site
from serving.challenger import Challengers
from serving.champion import Champion
from serving.desk import open_desk
from serving.entries import Entry, Names, to_answers
from serving.journal import Journal
from serving.schemas_health import JournalHealth
from serving.scoring import Asker
from serving.sheet import open_sheet
from serving.vectors import Vector
from tests.servers import NoServerError, postgres
from tests.serving.given_builders import given
from tests.serving.journal_builders import EXPLORES, MOVED, challenge, copied, told
from tests.serving.serving_builders import NOON, WALL, School, new_lead

SERVER = """
import sys
from pathlib import Path
from features.catalogue import load_catalogue
from leadlight.settings import load_site
from serving.app import create_app
from serving.listening import open_port, serve
site = load_site(Path(sys.argv[1]))
with open_port("127.0.0.1", 0) as listener:
    app = create_app(site, load_catalogue(site), state=Path(sys.argv[1]) / "state", wall=lambda: int(sys.argv[2]))
    print(listener.getsockname()[1], flush=True)
    serve(app, listener)
"""


def journalled(school: School) -> list[dict[str, Any]]:
    """What the school's journal holds."""
    engine = open_database(school.site, school.state)
    try:
        rows: list[dict[str, Any]] = answers(engine).to_pylist()
    finally:
        engine.dispose()
    return rows


def asked(client: TestClient, *leads: dict[str, Any]) -> list[dict[str, Any]]:
    """The scores of these leads."""
    answer = client.post("/v1/scores", json={"leads": leads})
    assert answer.status_code == 200, answer.text
    scores: list[dict[str, Any]] = answer.json()["scores"]
    return scores


def micros(moment: str) -> int:
    return to_micros(dt.datetime.fromisoformat(moment))


def until(done: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until it is done."""
    patience = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < patience, "never happened"
        time.sleep(0.02)


@dataclass(frozen=True)
class Day:
    """What a school with a challenger and a large exploration share answered, and its journal of that."""

    school: School
    scores: dict[str, dict[str, Any]]
    card: dict[str, Any]
    lines: list[dict[str, Any]]
    unnamed: list[dict[str, Any]]
    health: dict[str, Any]
    described: dict[str, Any]
    rows: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def day(school: School, champion: Champion, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Every lead asked about over HTTP, one as a card and a page, and all in bulk, with a journal and without."""
    folder = tmp_path_factory.mktemp("day")
    own = copied(school, folder, EXPLORES)
    challenge(own)
    desk = open_desk(own.site, own.catalogue, own.state)
    with open_sheet(folder / "without.jsonl") as sheet:
        asker = Asker("en", from_micros(WALL))
        score_open_leads(desk, champion, as_of=own.clock, asker=asker, sheet=sheet)
    desk.store.close()
    score_site(own.site, own.catalogue, target="first_order", state=own.state, out=folder / "with.jsonl", wall=WALL)
    lines, unnamed = (
        [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        for name in ("with.jsonl", "without.jsonl")
    )
    with TestClient(own.app()) as client:
        known = [{"lead_id": line["lead_id"]} for line in lines]
        scores = asked(client, *known, {"lead_id": "converted"}, new_lead())
        card = client.get("/v1/leads/hot").json()["score"]
        client.get("/leads/hot")
        described = client.get("/v1/models/first_order").json()
        until(lambda: client.get("/healthz").json()["journal"]["waiting"] == 0)
        health = client.get("/healthz").json()["journal"]
    rows = {row["id"]: row for row in journalled(own)}
    return Day(own, {score["lead_id"]: score for score in scores}, card, lines, unnamed, health, described, rows)


def test_every_answer_is_kept_with_all_that_it_was_made_of(day: Day, champion: Champion) -> None:
    """Scores, cards and pages; of known, new and locked leads; each under the name it was answered with."""
    assert len(day.rows) == len(day.lines) + len(day.scores) + 2
    assert (day.health["written"], day.health["lost"]) == (len(day.scores) + 2, 0)
    for score in (*day.scores.values(), day.card):
        row, interval = day.rows[score["answer_id"]], score["interval"] or {"low": None, "high": None}
        same = ("lead_id", "target", "probability", "raw", "grade", "model_version", "degraded", "explored")
        assert {name: row[name] for name in same} == {name: score[name] for name in same}
        assert (row["low"], row["high"]) == (interval["low"], interval["high"])
        assert (row["flagged"], row["source"]) == (bool(score["flagged"]), "http")
        assert row["bundle_sha256"] == champion.bundle.sha256
        moments = ("as_of", "features_as_of")
        assert [row[name] for name in moments] == [micros(score[name]) for name in moments]
        assert row["asked_at"] == micros(score["scored_at"]) == WALL
        assert [(each["group"], each["points"]) for each in json.loads(row["reasons"])] == [
            (each["group"], each["points"]) for each in score["reasons"]
        ]
        assert [each["name"] for each in json.loads(row["locks"])] == [each["name"] for each in score["locks"]]
        assert row["inline"] == (score["lead_id"] == "new-1")
    hot = day.scores["hot"]
    vector = json.loads(day.rows[hot["answer_id"]]["vector"])
    assert set(vector) == {column.name for column in champion.columns}
    used = {share["name"]: share["value"] for reason in hot["reasons"] for share in reason["features"]}
    assert used.items() <= vector.items()
    assert day.rows[day.scores["converted"]["answer_id"]]["vector"] is None


@pytest.mark.proof
def test_nothing_is_lost_when_a_server_is_stopped(school: School, tmp_path: Path) -> None:
    """A server process that is told to end writes all that waits: as many answers as were given are there."""
    own = copied(school, tmp_path)
    command = [sys.executable, "-c", SERVER, str(tmp_path), str(WALL)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        request = {"leads": [{"lead_id": "hot"}, {"lead_id": "L001"}] * 100}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            names = [
                score["answer_id"]
                for _ in range(5)
                for score in client.post("/v1/scores", json=request).json()["scores"]
            ]
        server.send_signal(signal.SIGTERM)
        server.wait(120)

    assert sorted(row["id"] for row in journalled(own)) == sorted(names)
    assert len(names) == 1_000


def test_a_database_that_goes_away_costs_no_answer_and_loses_none(champion: Champion) -> None:
    """What was given meanwhile is written when it is back; only what there is no room for is lost, and counted."""
    try:
        with postgres(durable=True) as server:
            engine = open_postgres(server.url)
            journal = Journal(partial(keep, engine), room=40)
            journal.give([given("before")], told(champion))
            until(lambda: journal.health().written == 1)

            server.kill()
            journal.give([given(f"first-{number}") for number in range(10)], told(champion))
            until(lambda: journal.health().failing)
            began = time.monotonic()
            scores = journal.give([given(f"while-{number}") for number in range(30)], told(champion))
            beyond = journal.give([given("beyond")], told(champion))
            took, during = time.monotonic() - began, journal.health()
            server.restart()
            until(lambda: not journal.health().failing)
            journal.close()

            ids = set(answers(engine)["lead_id"].to_pylist())
            engine.dispose()
    except NoServerError as missing:
        pytest.skip(str(missing))
    assert [score.lead_id for score in (scores[0], *beyond)] == ["while-0", "beyond"]
    assert took < 1.0
    assert (during.waiting, during.written, during.lost, during.failing) == (40, 1, 1, True)
    assert ids == {"before", *(f"first-{number}" for number in range(10)), *(f"while-{number}" for number in range(30))}


def test_closing_writes_all_that_waits(champion: Champion, tmp_path: Path) -> None:
    """However much it is, in the order of giving."""
    engine = open_sqlite(tmp_path / "leadlight.db")
    journal = Journal(partial(keep, engine))

    for start in range(0, 3_000, 500):
        journal.give([given(f"lead-{number}") for number in range(start, start + 500)], told(champion))
    journal.close()

    assert answers(engine)["lead_id"].to_pylist() == [f"lead-{number}" for number in range(3_000)]
    assert journal.health() == JournalHealth(waiting=0, failing=False, written=3_000, lost=0, shadow_failed=0)
    engine.dispose()


def test_an_answer_that_no_database_can_hold_takes_no_other_with_it(champion: Champion, tmp_path: Path) -> None:
    """Half of a surrogate pair is no text; the answers beside it are written."""
    engine = open_sqlite(tmp_path / "leadlight.db")
    journal = Journal(partial(keep, engine))

    journal.give([given("ana"), given("\ud83d"), given("bob")], told(champion))
    journal.close()

    assert answers(engine)["lead_id"].to_pylist() == ["ana", "bob"]
    assert (journal.health().written, journal.health().lost, journal.health().waiting) == (2, 1, 0)
    engine.dispose()


def test_a_slow_database_slows_whoever_asks_before_anything_is_lost(champion: Champion) -> None:
    """Without room a request waits for the writer, as long as the database takes anything at all."""
    written: list[Answer] = []

    def slowly(batch: Sequence[Answer]) -> None:
        time.sleep(0.1)
        written.extend(batch)

    journal = Journal(slowly, room=1)
    for number in range(5):
        journal.give([given(f"lead-{number}")], told(champion))
    journal.close()

    assert [each.lead_id for each in written] == [f"lead-{number}" for number in range(5)]
    assert journal.health().lost == 0


def test_a_stop_does_not_wait_for_ever(champion: Champion, tmp_path: Path) -> None:
    """A database that fails is given its time; then what waits is lost, and counted. A journal can begin again."""
    place = open_sqlite(tmp_path / "leadlight.db")
    journal = Journal(partial(keep, place), stop_seconds=0.3)
    with place.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE answers RENAME TO away")

    journal.give([given("ana")], told(champion))
    until(lambda: journal.health().failing)
    journal.close()
    lost = journal.health().lost
    with place.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO answers")
    journal.give([given("bob")], told(champion))
    journal.close()

    assert lost == 1
    assert answers(place)["lead_id"].to_pylist() == ["bob"]
    place.dispose()


def test_the_challenger_scores_in_the_shadow_and_touches_no_answer(day: Day, client: TestClient) -> None:
    """The journal has what the challenger would have answered; the answers are those of a server without it."""
    changed = {"answer_id": None, "explored": False}
    alone = asked(client, *({"lead_id": line["lead_id"]} for line in day.lines), {"lead_id": "converted"}, new_lead())
    shadows = {row["id"]: (row["shadow_version"], row["shadow_probability"]) for row in day.rows.values()}

    assert [{**score, **changed} for score in day.scores.values()] == [{**score, **changed} for score in alone]
    assert day.health["shadow_failed"] == 0
    assert day.described["challenger"]["version"] == "2"
    for answered in (*day.lines, *day.scores.values()):
        if answered["raw"] is None:
            assert shadows[answered["answer_id"]] == (None, None)
        else:
            version, probability = shadows[answered["answer_id"]]
            assert version == "2"
            assert probability == pytest.approx(1.0 / (1.0 + math.exp(-answered["raw"] - MOVED)), abs=1e-12)


@pytest.mark.parametrize("verdict", ["reject", "not_enough_evidence"])
def test_a_challenger_without_a_genuine_certificate_does_not_score(
    school: School, champion: Champion, tmp_path: Path, caplog: pytest.LogCaptureFixture, verdict: str
) -> None:
    """The shadow has the champion's rules; the log says why nothing scores in it."""
    own = copied(school, tmp_path)
    challenge(own, verdict=verdict)
    challengers = Challengers(own.site, own.catalogue, own.state)

    challengers.refresh()

    assert challengers.get(champion) is None
    (record,) = [record for record in caplog.records if record.message == "no_challenger"]
    assert verdict in str(vars(record)["faults"])


@pytest.mark.proof
def test_a_challenger_is_seen_when_it_is_named_and_gone_when_it_is_not(
    school: School, champion: Champion, tmp_path: Path
) -> None:
    """While the server runs; the champion's own model is no challenger of it."""
    own = copied(school, tmp_path)
    challengers = Challengers(own.site, own.catalogue, own.state)
    challengers.refresh()
    before = challengers.get(champion)
    named = challenge(own)
    challengers.refresh()
    found = challengers.get(champion)
    challenger_file(own.state, "first_order").unlink()
    challengers.refresh()

    assert (before, challengers.get(champion)) == (None, None)
    assert found is not None
    assert (found.version, found.bundle.sha256) == ("2", named.bundle_sha256)
    challengers._found = {"first_order": champion}
    assert challengers.get(champion) is None


def test_a_challenger_that_fails_is_noted_and_costs_nothing(
    champion: Champion, caplog: pytest.LogCaptureFixture
) -> None:
    """A column that the vector lacks: the answer is kept without its probability, and the log says what is missing."""
    values = {column.name: None for column in champion.columns if column.name != "idle"}
    (kept,) = Names().name([replace(given("ana"), vector=Vector(values, NOON))])

    (answer,) = to_answers([Entry(kept, replace(told(champion), challenger=champion))])

    assert (answer.lead_id, answer.shadow_version, answer.shadow_probability) == ("ana", "1", None)
    (record,) = [record for record in caplog.records if record.message == "shadow_failed"]
    assert (vars(record)["missing"], vars(record)["reason"]) == (["idle"], "KeyError")


def test_bulk_lists_are_journalled_unless_it_is_asked_not_to(day: Day) -> None:
    """In the order of the list; the file names each answer, and without a journal it names none."""
    rows = [row for row in day.rows.values() if row["source"] == "bulk"]

    assert [(row["id"], row["probability"]) for row in rows] == [
        (line["answer_id"], line["probability"]) for line in day.lines
    ]
    assert [{**line, "answer_id": None} for line in day.lines] == day.unnamed


def test_leads_that_were_drawn_are_marked_in_every_answer(day: Day) -> None:
    """Over HTTP and in bulk alike, of the leads that are not flagged about a share; the probability is kept."""
    drawn = {line["lead_id"] for line in day.lines if line["explored"]}
    flagged = {line["lead_id"] for line in day.lines if line["flagged"]}

    assert 3 < len(drawn) < len(day.lines) - 3
    assert drawn & flagged == set()
    assert {name for name, score in day.scores.items() if score["explored"]} - {"new-1"} == drawn
    for row in day.rows.values():
        if row["lead_id"] != "new-1":
            free = row["lead_id"] not in {*flagged, "converted"}
            assert (row["explored"], row["explore_probability"]) == (row["lead_id"] in drawn, 0.5 if free else None)


def test_names_of_answers_tell_their_order() -> None:
    """Whoever sorts by moment and name has the answers as they were given; two processes never name alike."""
    names = Names()

    ids = [each.score.answer_id or "" for each in names.name([given("ana")] * 300)]

    assert ids == sorted(ids)
    assert len({*ids, *(each.score.answer_id for each in Names().name([given("ana")] * 300))}) == 600


def test_a_list_by_spark_cannot_be_journalled(school: School, tmp_path: Path) -> None:
    """Who asks for it hears so before any work; the default with Spark is to do without."""
    words = ["score", str(school.site.folder), "--out", str(tmp_path / "scores"), "--engine", "spark", "--journal"]

    done = CliRunner().invoke(app, words)

    assert isinstance(done.exception, UsageError)
    assert "is not journalled" in str(done.exception)
