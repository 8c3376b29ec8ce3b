"""Bulk scoring is what HTTP answers, as a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from leadlight.schema import DAY, HOUR, Micros, from_micros
from leadlight.settings import LockRule, Site, SiteError, UsageError
from serving.bulk import Scored, score_open_leads, score_site
from serving.champion import Champion
from serving.desk import Desk, open_desk
from serving.scoring import Asker
from serving.sheet import open_sheet
from tests.serving.serving_builders import HOSTILE, NOON, WALL, School


@pytest.fixture(scope="module")
def desk(school: School) -> Desk:
    """The school's desk."""
    return open_desk(school.site, school.catalogue, school.state)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("as_of", [NOON + 1, NOON - 2 * DAY])
def test_bulk_scores_equal_those_of_http(
    desk: Desk, champion: Champion, client: TestClient, tmp_path: Path, as_of: Micros
) -> None:
    """Every open lead has the very numbers, reasons and words that HTTP gives at the same moment."""
    out = tmp_path / "scores.jsonl"
    with open_sheet(out) as sheet:
        done = score_open_leads(desk, champion, as_of=as_of, asker=Asker("zh", from_micros(WALL)), sheet=sheet)
    lines = lines_of(out)

    request = {"leads": [{"lead_id": line["lead_id"]} for line in lines], "as_of": from_micros(as_of).isoformat()}
    answer = client.post("/v1/scores", json=request, headers={"Accept-Language": "zh"})

    assert done.leads == len(lines) > 20
    assert (done.left_out, done.locked) == (0, {})
    scores = [{**score, "answer_id": None} for score in answer.json()["scores"]]
    assert scores == lines  # but for the names of the answers, which these lines have not


def test_leads_of_an_age_that_the_model_never_saw_are_counted(desk: Desk, champion: Champion, tmp_path: Path) -> None:
    """The school looks at leads of seven days, give or take one."""
    with open_sheet(tmp_path / "scores.jsonl") as sheet:
        done = score_open_leads(desk, champion, as_of=NOON + 1, asker=Asker("en", from_micros(WALL)), sheet=sheet)

    ages = [NOON + 1 - desk.roster.members[line["lead_id"]].created_at for line in lines_of(tmp_path / "scores.jsonl")]
    assert done.off_schedule == sum(not 6 * DAY <= age <= 8 * DAY for age in ages)
    assert 0 < done.off_schedule < done.leads


def test_every_format_says_the_same(desk: Desk, champion: Champion, tmp_path: Path) -> None:
    """Parquet, CSV and JSON lines hold the same leads, the likeliest first, with the same moments and reasons."""
    for suffix in ("parquet", "csv", "jsonl"):
        with open_sheet(tmp_path / f"scores.{suffix}") as sheet:
            score_open_leads(desk, champion, as_of=NOON + 1, asker=Asker("en", from_micros(WALL)), sheet=sheet)

    lines = lines_of(tmp_path / "scores.jsonl")
    rows = pq.read_table(tmp_path / "scores.parquet").to_pylist()
    with (tmp_path / "scores.csv").open(encoding="utf-8", newline="") as file:
        sheet_rows = list(csv.DictReader(file))
    told = [(line["lead_id"], line["grade"], line["reasons"]) for line in lines]
    assert [(row["lead_id"], row["grade"], json.loads(row["reasons"])) for row in rows] == told
    assert [(row["lead_id"], row["grade"], json.loads(row["reasons"])) for row in sheet_rows] == told
    assert [float(row["probability"]) for row in sheet_rows] == [line["probability"] for line in lines]
    assert [row["raw"] for row in rows] == sorted((row["raw"] for row in rows), reverse=True)
    assert {row["as_of"] for row in rows} == {from_micros(NOON + 1)}


def test_a_site_is_scored_at_its_clock_without_the_leads_that_have_left(school: School, tmp_path: Path) -> None:
    """Exactly the leads without a lock are written, as of the clock."""
    out = tmp_path / "new folder" / "scores.parquet"

    done = score_site(school.site, school.catalogue, target="first_order", state=school.state, out=out, wall=WALL)

    written = set(pq.read_table(out)["lead_id"].to_pylist())
    assert {"hot", "L000", "a/b <i>"} <= written
    assert not {"converted", "late"} & written
    assert (done.leads, done.as_of, done.version) == (len(written), from_micros(school.clock), "1")
    assert [path.name for path in out.parent.iterdir()] == ["scores.parquet"]


def test_leads_that_nobody_may_contact_are_left_out_and_counted(
    school: School, champion: Champion, tmp_path: Path
) -> None:
    """Each lock says how many leads it holds; the others are scored as if there were no locks."""
    rules = {
        "after_trial": {"zh": "试听后", "en": "after a trial", "set_by": ["trial"], "lasts": "7d"},
        "protected": {"zh": "受保护", "en": "protected", "attribute": "city", "values": [HOSTILE, "Lhasa"]},
        "unknown": {"zh": "未知", "en": "unknown", "attribute": "budget", "values": [3000]},
    }
    locks = {name: LockRule.model_validate(rule) for name, rule in rules.items()}
    site = school.site.model_copy(update={"locks": locks})

    def run(site: Site, as_of: Micros) -> tuple[Scored, dict[str, dict[str, Any]]]:
        out = tmp_path / "scores.jsonl"
        desk = open_desk(site, school.catalogue, school.state)
        with open_sheet(out) as sheet:
            done = score_open_leads(desk, champion, as_of=as_of, asker=Asker("en", from_micros(WALL)), sheet=sheet)
        return done, {line["lead_id"]: line for line in lines_of(out)}

    _, free = run(school.site, NOON + 1)
    done, locked = run(site, NOON + 1)

    assert locked == {lead_id: line for lead_id, line in free.items() if lead_id not in {"hot", "a/b <i>"}}
    assert (done.left_out, done.locked) == (2, {"after_trial": 1, "unknown": 1, "protected": 1})
    assert run(site, NOON - 20 * HOUR)[0].locked == {"unknown": 1, "protected": 1}


def test_a_lock_that_could_never_hold_is_refused(school: School) -> None:
    """An attribute that is not there, or not of the values' type, is a fault; all such faults come at once."""
    rules = {
        "typo": {"zh": "错", "en": "typo", "attribute": "citi", "values": ["Lhasa"], "who": "owner"},
        "wrong": {"zh": "错", "en": "wrong", "attribute": "budget", "values": ["3000"]},
    }
    locks = {name: LockRule.model_validate(rule) for name, rule in rules.items()}
    site = school.site.model_copy(update={"locks": locks})

    with pytest.raises(SiteError) as refused:
        open_desk(site, school.catalogue, school.state)

    assert [fault.split(":")[0] for fault in refused.value.faults] == ["locks.typo", "locks.typo", "locks.wrong"]
    assert "sources/leads.sql" in refused.value.faults[0]


def test_another_suffix_is_refused_and_nothing_is_left_behind(school: School, tmp_path: Path) -> None:
    """The name of the file decides its format; neither a wrong name nor a missing champion leaves a file."""

    def run(target: str, name: str) -> None:
        score_site(school.site, school.catalogue, target=target, state=school.state, out=tmp_path / name, wall=WALL)

    with pytest.raises(UsageError, match=r"\.parquet, \.csv, \.jsonl"):
        run("first_order", "scores.xlsx")
    with pytest.raises(SiteError, match="leadlight promote"):
        run("second_order", "scores.csv")

    assert list(tmp_path.iterdir()) == []
