"""An answer of the journal, computed again, is what was answered; whatever differs is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from leadlight.__main__ import app
from leadlight.database import open_database
from leadlight.journal import Answer, answer, keep
from leadlight.settings import UsageError
from leadlight.shelf import bundle_folder
from serving.desk import Desk, open_desk
from serving.replay import Bundles, Replayed, replay
from tests.serving.journal_builders import EXPLORES, TARGET, challenge, copied
from tests.serving.serving_builders import School, new_lead


@dataclass(frozen=True)
class Answered:
    """A school with a challenger that explores, and its answers by lead."""

    school: School
    answers: dict[str, Answer]
    desk: Desk
    bundles: Bundles

    def replayed(self, given: Answer, *, past: bool = False, bundles: Bundles | None = None) -> Replayed:
        """One answer computed again."""
        desk = self.desk if past else None
        return replay(given, bundles=bundles or self.bundles, exploration=self.desk.exploration, past=desk)


@pytest.fixture(scope="module")
def answered(school: School, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    own = copied(school, tmp_path_factory.mktemp("replay"), EXPLORES)
    challenge(own)
    with TestClient(own.app()) as client:
        leads = [{"lead_id": "hot"}, {"lead_id": "converted"}, {"lead_id": "L001"}, new_lead()]
        client.post("/v1/scores", json={"leads": leads})
        client.get("/v1/leads/L002")
        client.delete("/v1/leads/L002")
        scores = client.post("/v1/scores", json={"leads": leads}).json()["scores"]
    engine = open_database(own.site, own.state)
    found = {score["lead_id"]: answer(engine, score["answer_id"]) for score in scores}
    engine.dispose()
    desk = open_desk(own.site, own.catalogue, own.state)
    given = {name: each for name, each in found.items() if isinstance(each, Answer)}
    yield Answered(own, given, desk, Bundles(own.state))
    desk.store.close()


def test_every_answer_is_computed_again_to_the_bit(answered: Answered) -> None:
    """From the journal and the shelf alone, and its vector from the history; nothing is left to compare for locks."""
    hot, locked, new = (answered.answers[name] for name in ("hot", "converted", "new-1"))

    assert answered.replayed(hot, past=True) == Replayed("equal", (), ())
    assert answered.replayed(new).state == "equal"
    assert "were not kept" in answered.replayed(new, past=True).notes[0]
    assert answered.replayed(locked, past=True).state == "equal"
    assert "locked" in answered.replayed(locked).notes[0]


def test_whatever_differs_is_named(answered: Answered) -> None:
    """A number, a reason, a grade, the draw or a value that is not what it was: one bit is enough."""
    hot = answered.answers["hot"]
    vector = json.loads(hot.vector or "")
    told = json.loads(hot.reasons)
    told[0]["points"] += 1e-12
    probability = (hot.probability or 0.0) + 2**-52
    changes: list[tuple[dict[str, Any], str]] = [
        ({"probability": probability}, "probability"),
        ({"raw": (hot.raw or 0.0) * (1 + 2**-52)}, "raw"),
        ({"grade": "D"}, "grade"),
        ({"flagged": not hot.flagged}, "flagged"),
        ({"reasons": json.dumps(told)}, f"reason {told[0]['group']}"),
        ({"reasons": json.dumps(told[1:])}, f"reason {told[0]['group']}"),
        ({"shadow_probability": 0.5}, "shadow_probability"),
        ({"explore_probability": 0.999999, "explored": False}, "explored"),
    ]

    for change, what in changes:
        found = answered.replayed(replace(hot, **change))
        assert (found.state, [each.what for each in found.differences]) == ("differs", [what])
    moved = answered.replayed(replace(hot, vector=json.dumps({**vector, "trials_7d": 0})), past=True)
    assert {"raw", "probability", "value of trials_7d"} <= {each.what for each in moved.differences}
    locked = replace(answered.answers["converted"], locks="[]")
    assert [each.what for each in answered.replayed(locked, past=True).differences] == ["locks"]


def test_a_bundle_that_is_gone_or_altered_is_said(answered: Answered, tmp_path: Path) -> None:
    """Nothing else stands in for it."""
    hot, state = replace(answered.answers["hot"], shadow_version=None), tmp_path / "state"
    shutil.copytree(answered.school.state / "bundles", state / "bundles")
    (bundle_folder(state, TARGET, 1) / "cuts.json").write_text("{}", encoding="utf-8")
    altered = answered.replayed(hot, bundles=Bundles(state))
    shutil.rmtree(bundle_folder(state, TARGET, 1))
    gone = answered.replayed(hot, bundles=Bundles(state))

    assert (altered.state, gone.state) == ("no bundle", "no bundle")
    assert "cuts.json" in altered.notes[0]
    assert "version 1 cannot answer again" in gone.notes[0]


@pytest.mark.proof
def test_the_command_says_whether_an_answer_is_equal_or_erased(answered: Answered) -> None:
    """By the answer's id, or the last of a lead; it ends with 0 only if all is equal."""
    hot, place = answered.answers["hot"], [str(answered.school.site.folder), "--json"]
    engine = open_database(answered.school.site, answered.school.state)
    keep(engine, [replace(hot, id="forged", bundle_sha256="0" * 64, shadow_version=None, asked_at=hot.asked_at - 1)])
    (erased_id,) = engine.connect().exec_driver_sql("SELECT id FROM erased_answers").scalars()
    engine.dispose()

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(app, ["replay", *place, *words])
        return done.exit_code, json.loads(done.stdout)

    code, found = run("--lead", "hot")
    assert (code, found["state"], found["id"], found["probability"]) == (0, "equal", hot.id, hot.probability)
    assert found["shadow"]["version"] == "2"
    assert found["reasons"][0]["words"]
    code, found = run("forged")
    assert (code, found["state"]) == (1, "no bundle")
    assert "is not that of bundle 000" in found["notes"][0]
    assert run(erased_id)[1]["state"] == run("--lead", "L002")[1]["state"] == "erased"
    assert run(erased_id)[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "either an answer's ID or --lead"),
        (["some-id", "--lead", "hot"], "either an answer's ID or --lead"),
        (["never-given"], "no answer of this id"),
        (["--lead", "nobody"], "no answer about it for first_order"),
        (["--lead", "hot", "--at", "2020-01-01T00:00"], "until 2019-12-31T16:00:00"),
    ],
)
def test_what_cannot_be_found_is_said(answered: Answered, words: list[str], said: str) -> None:
    """With what to do."""
    done = CliRunner().invoke(app, ["replay", str(answered.school.site.folder), *words])

    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
