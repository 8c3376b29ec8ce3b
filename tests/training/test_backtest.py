"""The comparison with plain models, and the files it writes for others to check it by."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from tests.training.training_builders import Place, made_place, made_rows
from training.backtest import Backtest, backtest, measures
from training.pipeline import train

MODELS = ["leadlight", "logistic", "lightgbm", "hist"]


class Compared(NamedTuple):
    """A backtest with its two files."""

    place: Place
    result: Backtest
    predictions: Path
    dataset: Path


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """One backtest of 800 leads."""
    folder = tmp_path_factory.mktemp("backtest")
    place = made_place(folder, made_rows(800))
    predictions, dataset = folder / "p.parquet", folder / "d.parquet"
    result = backtest(place.site, place.catalogue, "sale", state=place.state, predictions=predictions, dataset=dataset)
    return Compared(place, result, predictions, dataset)


def test_the_answer_has_every_model_and_field(compared: Compared) -> None:
    """Four models with six metrics each, the split's borders in local time, and paired differences."""
    answer = json.loads(json.dumps(compared.result.to_json()))

    assert list(answer["models"]) == MODELS
    fields = {"auc", "average_precision", "log_loss", "brier", "precision_at_10", "recall_at_10"}
    assert all(set(metrics) == fields for metrics in answer["models"].values())
    assert answer["rows"] == 160
    assert answer["train_until"] < answer["test_from"]
    assert answer["test_from"].endswith("+08:00")
    assert list(answer["differences"]) == MODELS[1:]
    assert any(line.startswith("leadlight") for line in compared.result.lines())


def test_predictions_give_the_published_metrics(compared: Compared) -> None:
    """Anybody can compute the metrics again from the file, which has the agreed columns and types."""
    table = pq.read_table(compared.predictions)

    assert table.column_names == ["lead_id", "as_of", "label", *MODELS]
    assert table.schema.field("as_of").type == pa.timestamp("us", tz="UTC")
    rows = table.to_pandas()
    for model in MODELS:
        found = compared.result.models[model]
        assert roc_auc_score(rows["label"], rows[model]) == pytest.approx(found["auc"])
        assert average_precision_score(rows["label"], rows[model]) == pytest.approx(found["average_precision"])
        assert log_loss(rows["label"], rows[model]) == pytest.approx(found["log_loss"])
        assert brier_score_loss(rows["label"], rows[model]) == pytest.approx(found["brier"])
    gap = log_loss(rows["label"], rows["leadlight"]) - log_loss(rows["label"], rows["hist"])
    assert gap == pytest.approx(compared.result.differences["hist"]["log_loss_difference"])


def test_the_dataset_has_every_row_that_is_used_and_nothing_else(compared: Compared) -> None:
    """Features are numbers or texts under plain names, gap rows are left out, and missing values stay missing."""
    table = pq.read_table(compared.dataset)

    assert table.column_names == ["lead_id", "as_of", "label", "split", "visits", "minutes", "city", "noise"]
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in table.column_names)
    rows = table.to_pandas()
    assert set(rows["split"]) == {"train", "calibration", "test"}
    made = made_rows(800).set_index("lead_id").loc[rows["lead_id"]].reset_index()
    pd.testing.assert_frame_equal(
        rows[["visits", "minutes", "city", "noise"]], made[["visits", "minutes", "city", "noise"]]
    )
    assert 800 - len(rows) == pytest.approx(800 * 3 / 100, abs=1)
    test = rows[rows["split"] == "test"]
    assert test["lead_id"].tolist() == pq.read_table(compared.predictions)["lead_id"].to_pylist()


def test_a_backtest_repeats_itself(compared: Compared) -> None:
    """The same rows and seed give the same numbers to the last bit."""
    place = compared.place

    again = backtest(place.site, place.catalogue, "sale", state=place.state)

    assert again == compared.result


def test_a_backtest_is_a_look(compared: Compared) -> None:
    """Whoever reads it has seen the test: it stands in the list of looks, once, and the words say so."""
    looks = (compared.place.state / "looks" / "sale.txt").read_text().splitlines()

    assert compared.result.look == 1
    assert compared.result.to_json()["look"] == 1
    assert len(looks) == 1
    assert "this was look 1 at these test rows" in compared.result.lines()[-1]


@pytest.mark.proof
def test_training_the_same_model_is_the_same_look(compared: Compared) -> None:
    """A backtest and a training of the same rows and seed count once; deep answers come only when asked for."""
    place = compared.place

    trained = train(place.site, place.catalogue, "sale", state=place.state)
    deeper = backtest(place.site, place.catalogue, "sale", state=place.state, with_deep=True)

    assert trained.judgement.verdict.looks == deeper.look == 1
    assert "deep" not in compared.result.to_json()
    assert {each["group"] for each in deeper.to_json()["deep"]["ablation"]} == {"visits", "minutes", "city", "noise"}
    assert len(deeper.to_json()["deep"]["ageing"]["ages"]) == 5
    assert any(line.startswith("over 5 seeds") for line in deeper.lines())


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_the_top_tenth_is_counted(pairs: list[tuple[float, bool]]) -> None:
    """Precision and recall at 10 % are those of the highest tenth of rows, at least one."""
    p = np.array([value for value, _ in pairs])
    y = np.array([outcome for _, outcome in pairs], dtype=np.int8)

    found = measures(y, p)

    size = max(round(len(pairs) / 10), 1)
    ranked = [outcome for _, outcome in sorted(pairs, key=lambda pair: -pair[0])]
    assert found["precision_at_10"] == pytest.approx(sum(ranked[:size]) / size)
    assert found["recall_at_10"] == (pytest.approx(sum(ranked[:size]) / y.sum()) if y.any() else None)
    assert (found["auc"] is None) == (y.min() == y.max())
