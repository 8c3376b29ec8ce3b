"""A file of scores runs nothing in the spreadsheet that opens it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from leadlight.schema import from_micros
from serving.schemas import FeatureShare, Reason, Score
from serving.sheet import open_sheet
from tests.serving.serving_builders import NOON

IDS = ["=1+1", "-7", "+49", "@SUM(A1)", "ordinary"]


def score(lead_id: str) -> Score:
    """The score of a lead whose every text tries to be a formula."""
    share = FeatureShare(name="city", words="=cmd", value="=cmd", points=-0.5)
    reason = Reason("city", "=cmd", "down", points=-0.5, percentage_points=-1.5, features=(share,))
    moment = from_micros(NOON)
    return Score(
        lead_id=lead_id,
        target="first_order",
        probability=0.25,
        raw=-1.1,
        reasons=(reason,),
        as_of=moment,
        features_as_of=moment,
        scored_at=moment,
        model_version="=7",
        rung="blend",
    )


def written(path: Path) -> Path:
    """A sheet with these leads."""
    with open_sheet(path) as sheet:
        for lead_id in IDS:
            sheet.write([score(lead_id)])
    return path


def test_csv_has_an_apostrophe_before_each_formula(tmp_path: Path) -> None:
    """Texts alone: numbers below zero stay numbers, and reasons are JSON as ever."""
    with written(tmp_path / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["lead_id"] for row in rows] == ["'=1+1", "'-7", "'+49", "'@SUM(A1)", "ordinary"]
    assert {(row["raw"], row["model_version"]) for row in rows} == {("-1.1", "'=7")}
    assert json.loads(rows[0]["reasons"])[0]["words"] == "=cmd"


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_files_that_no_spreadsheet_runs_hold_texts_as_they_are(tmp_path: Path, suffix: str) -> None:
    """Typed files need no sign."""
    path = written(tmp_path / f"scores{suffix}")

    if suffix == ".parquet":
        ids = pq.read_table(path)["lead_id"].to_pylist()
    else:
        ids = [json.loads(line)["lead_id"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert ids == IDS
