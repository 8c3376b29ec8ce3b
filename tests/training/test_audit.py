"""The probes of values, as a training runs them: what they must see, and what they must not accuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from features.catalogue.entries import Column, Indicator
from leadlight.model.margins import sigmoid
from tests.training.training_builders import as_dataset, made_place, made_rows
from training.audit import Audit, audit, column_auc, rank_auc
from training.dataset import Dataset


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
        "answered": pd.Series(random.random(len(rows)) < np.where(label, 0.97, 0.03)).map({True: "yes", False: None}),
        "status": settled(label, random),
        "batch": batches(label, random),
    }
    return made[kind]


@pytest.mark.parametrize(
    "kind", ["copy", "negative", "nearly", "text", "present", "absent", "sometimes", "answered", "status", "batch"]
)
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


def settled(label: pd.Series[Any], random: np.random.Generator) -> pd.Series[Any]:
    """A status that knows the outcome of three leads in ten, both ways, and of the others nothing."""
    known = random.random(len(label)) < 0.3
    open_still = random.choice(["open", "waiting"], len(label))
    return pd.Series(np.where(known, np.where(label, "great", "hopeless"), open_still), dtype=object)


def batches(label: pd.Series[Any], random: np.random.Generator) -> pd.Series[Any]:
    """Two names a week that part the outcomes of that week, and say nothing of the next."""
    side = np.where(random.random(len(label)) < 0.9, label, ~label)
    week = np.arange(len(label)) * 12 // len(label)
    return pd.Series([f"{number}-{flag}" for number, flag in zip(week, side, strict=True)], dtype=object)


@pytest.mark.parametrize("seed", range(3))
def test_one_sided_levels_and_passing_fashions_are_not_accused(tmp_path: Path, seed: int) -> None:
    """Levels of which nearly all convert, or nearly none, and campaigns that come and go are no leaks."""
    rows = made_rows(1500, seed=seed)
    random = np.random.default_rng(seed)
    label = rows["label"] == 1
    chance = random.random(len(rows))
    rows["best"] = np.where(
        label & (chance < 0.2) | (chance < 0.004), "recommended", random.choice(["a", "b"], len(rows))
    )
    rows["worst"] = np.where(~label & (chance < 0.3), "wrong number", random.choice(["a", "b"], len(rows)))
    week = np.arange(len(rows)) * 12 // len(rows)
    rows["campaign"] = [
        f"{number}-{draw}" for number, draw in zip(week, random.integers(3, size=len(rows)), strict=True)
    ]
    rows["quarter"] = (week // 3).astype(float)
    rows["profiled"] = np.where(random.random(len(rows)) < np.where(label, 0.8, 0.55), 1.0, np.nan)

    found = audited(tmp_path, rows)

    assert found == Audit((), ())


def test_a_strong_honest_scale_is_not_accused(tmp_path: Path) -> None:
    """The steps of a scale that sees much of a lead's true chance end in tails: not so far apart as to be verdicts."""
    random = np.random.default_rng(15)
    rows = made_rows(4000, seed=15)
    quality = random.normal(size=len(rows))
    rows["label"] = (random.random(len(rows)) < sigmoid(1.2 * quality - 0.4)).astype(np.int8)
    for noise in (0.5, 1.0, 2.0):
        steps = np.round(2 * quality + noise * random.normal(size=len(rows))).astype(int)
        rows[f"scale_{steps.max()}"] = [f"step {step}" for step in steps]

    assert audited(tmp_path, rows).faults == ()


def test_many_columns_of_noise_accuse_nobody(tmp_path: Path) -> None:
    """Sixty columns, numbers, codes and text, some mostly empty: the more are asked, the surer a probe must be."""
    rows = made_rows(600, seed=11)
    random = np.random.default_rng(11)
    for number in range(20):
        rows[f"number_{number}"] = np.where(random.random(600) < number / 20, np.nan, random.normal(size=600))
        rows[f"code_{number}"] = random.integers(2 + 5 * number, size=600).astype(float)
        rows[f"text_{number}"] = random.choice(np.array([None, *"abcdefgh"], dtype=object), 600)

    assert audited(tmp_path, rows) == Audit((), ())


def test_what_is_only_suspect_is_said_and_stops_nothing(tmp_path: Path) -> None:
    """A column that ranks better than honest ones do, but not so well that it must know, is a note."""
    rows = made_rows(1500)
    rows["eager"] = rows["label"] + np.random.default_rng(1).normal(0, 0.56, len(rows))

    found = audited(tmp_path, rows)

    assert (found.faults, found.allowed) == ((), ())
    assert found.suspects[0].startswith("suspect: eager ranks suspiciously well by itself (AUC 0.8")


def numbered_by_batch(rows: pd.DataFrame, random: np.random.Generator) -> pd.Series[Any]:
    """Numbers of which every fortieth belongs to those who buy: their order says nothing, their neighbourhood all."""
    label = rows["label"].to_numpy() == 1
    batch = random.integers(50, size=len(rows))
    return pd.Series(2.0 * batch + label + random.random(len(rows)) * 0.9, index=rows.index)


def test_numbers_that_know_without_order_are_accused(tmp_path: Path) -> None:
    """What no ranking of a number sees, its neighbourhoods do: learned on earlier leads and judged on later ones."""
    rows = made_rows(3000, seed=4)
    rows["number"] = numbered_by_batch(rows, np.random.default_rng(4))

    found = audited(tmp_path, rows)

    assert column_auc(rows["number"], (rows["label"] == 1).to_numpy(), np.arange(3000)) < 0.6
    assert [fault for fault in found.faults if "'number' foretells later leads with AUC" in fault]


def test_a_number_of_a_lead_seen_often_is_not_accused(tmp_path: Path) -> None:
    """Numbers of leads that come again tell each lead's own outcome, and nothing of later leads."""
    rows = made_rows(3000, seed=5)
    lead = np.arange(3000) % 300
    rows["lead_id"] = [f"lead-{each:03d}" for each in lead]
    rows["label"] = (lead % 3 == 0).astype(np.int8)
    rows["income"] = np.random.default_rng(5).random(300)[lead]

    assert audited(tmp_path, rows) == Audit((), ())


def of_deals(folder: Path, rows: pd.DataFrame, *names: str) -> Dataset:
    """These rows, with the columns of these names made of events of the kind ``deal``."""
    made = as_dataset(made_place(folder, rows), rows)
    columns = tuple(
        Column(each.name, each.type, Indicator(name=each.name, zh="x", en="x", kind="count", events=("deal",)))
        if each.name in names
        else each
        for each in made.columns
    )
    return replace(made, columns=columns)


def parted(rows: pd.DataFrame) -> tuple[pd.Series[float], pd.Series[float]]:
    """Two flags of which neither tells anything, and that differ where a lead converts."""
    opened = np.random.default_rng(6).integers(2, size=len(rows))
    return pd.Series(opened.astype(float)), pd.Series((opened ^ rows["label"].to_numpy()).astype(float))


def test_a_family_that_decides_together_is_accused(tmp_path: Path) -> None:
    """Columns of one kind of event, each innocent, from which the outcome can be worked out, are named together."""
    rows = made_rows(3000, seed=6)
    rows["opened"], rows["open_still"] = parted(rows)

    alone = audited(tmp_path / "alone", rows)
    found = audit(of_deals(tmp_path / "family", rows, "opened", "open_still"), {})

    assert alone.faults == ()
    assert len(found.faults) == 1
    assert found.faults[0].startswith("columns opened, open_still nearly decide the outcome together (AUC ")
    assert "all that is made of deal knows the outcome" in found.faults[0]


def test_an_accused_column_names_its_kin(tmp_path: Path) -> None:
    """What is made of the same facts as a leak is named with it, so that nobody removes the one and keeps the rest."""
    rows = made_rows(800)
    rows["won_deals"] = rows["label"].astype(float)
    rows["deals_total"] = 1.0

    found = audit(of_deals(tmp_path, rows, "won_deals", "deals_total"), {})

    assert len(found.faults) == 1
    assert "(made of the same facts, and to go with it: deals_total)" in found.faults[0]


def test_rows_of_one_lead_are_no_evidence_of_their_own(tmp_path: Path) -> None:
    """Nine leads seen a hundred times each prove nothing, however clean the pattern of their rows."""
    rows = made_rows(900)
    rows["lead_id"] = [f"lead-{number % 18:02d}" for number in range(900)]
    rows["label"] = (np.arange(900) % 18 < 9).astype(np.int8)
    rows["copy"] = rows["label"].astype(float)

    assert audited(tmp_path, rows) == Audit((), ())


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
    """On X Education the columns that hold sales' own verdicts are accused, and none of the honest ones."""
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

    accused = {fault.split("'")[1] for fault in found.faults}
    assert accused == {names["Tags"], names["Lead Quality"], names["Lead Profile"]}
    assert found.suspects == ()
