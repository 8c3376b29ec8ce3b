"""The smallest leakage check: what it must see, and what it must not accuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tests.training.training_builders import as_dataset, made_place, made_rows
from training.audit import Audit, audit, column_auc, rank_auc


def audited(folder: Path, rows: pd.DataFrame, leaks: dict[str, str] | None = None) -> Audit:
    """The audit of these rows."""
    return audit(as_dataset(made_place(folder, rows), rows), leaks or {})


def planted(rows: pd.DataFrame, kind: str) -> pd.Series[Any]:
    """A column that was written after the outcome."""
    random = np.random.default_rng(0)
    label = rows["label"] == 1
    flipped = label ^ (random.random(len(rows)) < 0.02)
    made: dict[str, pd.Series[Any]] = {
        "copy": label.astype(float),
        "negative": -label.astype(float),
        "nearly": flipped.astype(float) + random.normal(0, 0.1, len(rows)),
        "text": flipped.map({True: "won", False: "lost"}),
        "present": pd.Series(np.where(label, random.normal(size=len(rows)), np.nan)),
        "absent": pd.Series(np.where(label, np.nan, random.normal(size=len(rows)))),
        "sometimes": (label & (random.random(len(rows)) < 0.5)).map({True: "A-17", False: None}),
    }
    return made[kind]


@pytest.mark.parametrize("kind", ["copy", "negative", "nearly", "text", "present", "absent", "sometimes"])
def test_a_column_written_after_the_outcome_is_accused(tmp_path: Path, kind: str) -> None:
    """Copies of the outcome, noisy or not, and columns filled in only with it, are named with evidence and advice."""
    rows = made_rows(800)
    rows["planted"] = planted(rows, kind)

    found = audited(tmp_path, rows)

    assert len(found.faults) == 1
    assert "'planted'" in found.faults[0]
    assert '[leaks] in leadlight.toml: planted = "reason"' in found.faults[0]


@pytest.mark.parametrize("seed", range(5))
def test_honest_columns_are_not_accused(tmp_path: Path, seed: int) -> None:
    """Strong but honest columns, names nobody shares, empty and constant ones and many rare levels pass."""
    rows = made_rows(800, seed=seed)
    random = np.random.default_rng(seed)
    rows["identifier"] = rows["lead_id"].to_numpy(dtype=object)
    rows["empty"] = np.nan
    rows["nothing"] = pd.Series([None] * len(rows), dtype=object)
    rows["constant"] = 1.0
    rows["rare"] = pd.Series([f"level {number}" for number in random.integers(300, size=len(rows))], dtype=object)
    rows["strong"] = rows["label"] + random.normal(0, 0.9, len(rows))  # AUC about 0.78, the best honest one seen
    rows["once"] = np.where(np.arange(len(rows)) == int(np.flatnonzero(rows["label"] == 1)[0]), 1.0, np.nan)

    found = audited(tmp_path, rows)

    assert found == Audit((), ())


def test_an_allowed_column_passes_and_its_reason_is_kept(tmp_path: Path) -> None:
    """The site's reason lets a column through and stands beside the evidence."""
    rows = made_rows(400)
    rows["planted"] = rows["label"].astype(float)

    found = audited(tmp_path, rows, {"planted": "a test of the path"})

    assert found.faults == ()
    assert "a test of the path" in found.allowed[0]
    assert "AUC 1.000" in found.allowed[0]


def test_a_handful_of_outcomes_accuses_nobody(tmp_path: Path) -> None:
    """With nine converted leads a column may part them by chance: nothing is said."""
    rows = made_rows(400)
    rows["label"] = (np.arange(400) % 45 == 0).astype(np.int8)
    rows["lucky"] = rows["label"].astype(float)

    assert audited(tmp_path, rows).faults == ()


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=60))
def test_ranks_give_the_auc(pairs: list[tuple[int, bool]]) -> None:
    """The rank formula equals scikit-learn's area, ties and all; a number's own AUC looks both ways."""
    values = np.array([value for value, _ in pairs], dtype=np.float64)
    positive = np.array([outcome for _, outcome in pairs])
    positive[:2] = (True, False)

    area = roc_auc_score(positive, values)

    assert rank_auc(values, positive) == pytest.approx(area)
    both_ways = column_auc(pd.Series(values), positive, np.arange(len(values)))
    assert both_ways == pytest.approx(max(area, 1 - area))


def test_a_level_is_ranked_by_other_leads_only() -> None:
    """A name held by one lead alone, however often seen, says nothing about its own outcome."""
    lead = np.repeat(np.arange(100), 4)
    converted = np.repeat(np.arange(100) % 3 == 0, 4)
    names = pd.Series([f"name {number}" for number in lead], dtype=object)

    assert column_auc(names, converted, lead) == pytest.approx(0.5, abs=0.05)


def test_the_leaks_of_a_real_crm_export(tmp_path: Path, real_data: Path) -> None:
    """On X Education the column filled in by sales is accused, and none of the honest ones."""
    export = pd.read_csv(real_data / "x_education" / "Leads.csv", dtype=str).sort_values(
        "Lead Number", key=lambda s: s.astype(int)
    )
    names = {name: f"c_{place}" for place, name in enumerate(export.columns)}
    rows = made_rows(len(export)).drop(columns=["visits", "minutes", "city", "noise"])
    rows["label"] = export["Converted"].astype(int).to_numpy(dtype=np.int8)
    for name in set(export.columns) - {"Converted", "Lead Number", "Prospect ID"}:
        values = export[name].where(export[name] != "Select")
        numbers = pd.to_numeric(values, errors="coerce")
        numeric = numbers.notna().sum() == values.notna().sum()
        rows[names[name]] = numbers.to_numpy() if numeric else values.where(values.notna(), None).to_numpy(dtype=object)

    found = audited(tmp_path, rows)

    assert [fault.split("'")[1] for fault in found.faults] == [names["Tags"]]
