"""A whole training on a small site: what it leaves behind, what it refuses, and that it repeats itself."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from sklearn.metrics import log_loss, precision_score, recall_score, roc_auc_score

from leadlight import registry
from leadlight.model.bundle import load_bundle
from leadlight.model.certificate import PUBLIC_KEY, pinned_key, read_certificate
from leadlight.model.margins import sigmoid
from leadlight.registry import Decision
from leadlight.schema import from_micros
from leadlight.settings import SiteError, load_site
from leadlight.shelf import bundle_folder, current_champion, verdict_file
from tests.training.card_figures import shown, tables_of
from tests.training.training_builders import Place, as_dataset, made_place, made_rows, write_state
from training.as_judged import KEY, AsJudged
from training.calibrate import shift_of
from training.dataset import load
from training.evaluate import evaluate
from training.evaluate.calibration import noise_floor
from training.gate import Signer
from training.judgement import score
from training.pipeline import SEED, Result, train
from training.provenance import code_digest
from training.rivals import champion_rival

DECISION = Decision(at=1, by="tester")
METRICS = (
    "auc",
    "average_precision",
    "log_loss",
    "brier",
    "calibration_error",
    "calibration_slope",
    "calibration_in_the_large",
    "precision",
    "recall",
    "accuracy",
    "lift",
)
SIGNER = Signer(by="tester", at=1_700_000_000_000_000)


class Trained(NamedTuple):
    """A place after its first training."""

    place: Place
    result: Result


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One training that the gate lets pass."""
    place = made_place(tmp_path_factory.mktemp("pipeline"), made_rows(2000))
    return Trained(place, train(place.site, place.catalogue, "sale", state=place.state, signer=SIGNER))


@pytest.fixture
def again(first: Trained, tmp_path: Path) -> Trained:
    """A copy of that place to go on with."""
    shutil.copytree(first.place.site.folder, tmp_path / "copy")
    site = load_site(tmp_path / "copy")
    place = first.place._replace(site=site, state=site.folder / "state")
    write_state(place, made_rows(2000))
    return Trained(place, first.result)


def test_a_training_answers_with_its_version_and_every_number(first: Trained) -> None:
    """The JSON has version, verdict, bundle hash, metrics with intervals and rules; the words have them too."""
    answer = json.loads(json.dumps(first.result.to_json()))

    assert answer["version"] == 1
    assert answer["verdict"] == "promote"
    assert answer["metrics"]["auc_lower"] < answer["metrics"]["auc"] < answer["metrics"]["auc_upper"]
    assert {"precision", "recall", "log_loss_against_logistic"} <= {rule["name"] for rule in answer["rules"]}
    assert set(answer["channels"]) == {"ads", "search", "referral"}
    assert sum(month["rows"] for month in answer["months"].values()) == answer["metrics"]["rows"] == 400
    assert first.result.lines()[0] == "sale version 1: promote"


def test_the_bundle_on_the_shelf_is_the_one_that_was_judged(first: Trained) -> None:
    """Loaded again, it scores the test rows to the AUC of the verdict, and MLflow holds the same files."""
    place, result = first
    folder = bundle_folder(place.state, "sale", 1)
    test = load(place.site, place.catalogue, "sale", state=place.state).part("test")

    bundle = load_bundle(folder, expected=result.judgement.bundle_sha256)

    auc = result.judgement.evaluation.metrics["auc"]
    assert auc is not None
    assert roc_auc_score(test.y, bundle.model.score(test.X).probability) == pytest.approx(auc.value)
    assert bundle.cuts.threshold == result.judgement.threshold
    verdict = json.loads(verdict_file(place.state, "sale", 1).read_bytes())
    assert verdict == json.loads(json.dumps(result.judgement.to_json()))


def test_mlflow_holds_the_whole_training(first: Trained) -> None:
    """Chosen parameters, metrics, data digests, plots, verdict, bundle and certificate are in one finished run."""
    place, result = first
    client = registry.mlflow_client(place.site, place.state)

    version = client.get_model_version("tiny-sale", "1")
    run = client.get_run(str(version.run_id))

    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "7"
    assert run.data.metrics["auc"] == pytest.approx(result.to_json()["metrics"]["auc"])
    assert run.data.tags["verdict"] == "promote"
    assert run.inputs is not None
    assert [used.dataset.name for used in run.inputs.dataset_inputs] == ["sale", "sale"]
    run_folder = place.state / "mlflow" / "artifacts" / "tiny-sale" / run.info.run_id / "artifacts"
    logged = {path.relative_to(run_folder).as_posix() for path in run_folder.rglob("*") if path.is_file()}
    on_the_shelf = {f"bundle/{path.name}" for path in bundle_folder(place.state, "sale", 1).iterdir()}
    assert {name for name in logged if name.startswith("bundle/")} == on_the_shelf
    assert {"verdict.json", "bundle/certificate.json", "plots/shap_summary.png", "plots/calibration.png"} <= logged


def test_the_certificate_says_on_what_it_rests_by_whom_and_when(first: Trained) -> None:
    """It has the verdict's rules and the hashes of both parts of the data, code, catalogue and bundle."""
    place, result = first
    rows = load(place.site, place.catalogue, "sale", state=place.state)

    key = pinned_key(place.state / "keys" / PUBLIC_KEY)
    findings = read_certificate(bundle_folder(place.state, "sale", 1), key).findings

    assert findings["rules"] == json.loads(json.dumps(result.to_json()["rules"]))
    assert findings["hashes"] == {
        "bundle": result.judgement.bundle_sha256,
        "catalogue": place.catalogue.hash,
        "code": code_digest(),
        "data_learned": rows.part("train", "calibration").digest,
        "data_test": rows.part("test").digest,
    }
    assert (findings["by"], findings["at"]) == ("tester", "2023-11-14T22:13:20+00:00")


def test_the_certificate_says_what_later_outcomes_are_held_against(first: Trained) -> None:
    """Calibration of each lead's first test row, by grade too: rows that the model never learned from."""
    place, _ = first
    folder = bundle_folder(place.state, "sale", 1)
    findings = read_certificate(folder, pinned_key(place.state / "keys" / PUBLIC_KEY)).findings
    bundle = load_bundle(folder, expected=findings["hashes"]["bundle"])
    test = load(place.site, place.catalogue, "sale", state=place.state).part("test")
    rows = {lead: row for row, lead in reversed(list(enumerate(test.lead_id)))}
    chosen = sorted(rows.values())

    margins = bundle.model.margin(test.X)[chosen]

    found = AsJudged.read(findings[KEY])
    shift, error = shift_of(margins, test.y[chosen])
    grades = [bundle.cuts.grade(p) for p in sigmoid(margins).tolist()]
    assert (found.leads, found.converted) == (len(chosen), int(test.y[chosen].sum()))
    assert (found.shift.value, found.shift.error) == pytest.approx((shift, error))
    assert set(found.grades) == set(grades)
    assert found.slope is not None
    assert abs(found.slope.value - 1.0) < 4 * found.slope.error


def test_every_figure_of_the_model_card_comes_from_the_artefacts(first: Trained) -> None:
    """What it learned from, metrics, rules, parts and cuts are computed anew from bundle, rows and certificate."""
    place, _ = first
    folder = bundle_folder(place.state, "sale", 1)
    findings = read_certificate(folder, pinned_key(place.state / "keys" / PUBLIC_KEY)).findings
    bundle = load_bundle(folder, expected=findings["hashes"]["bundle"])
    rows = load(place.site, place.catalogue, "sale", state=place.state)
    learned, test = rows.part("train", "calibration"), rows.part("test")
    scored = score(bundle, test, place.site)
    seen = evaluate(scored, seed=SEED).to_json()

    text = verdict_file(place.state, "sale", 1).with_name("1.card.md").read_text("utf-8")

    card = tables_of(text)
    last = from_micros(int(learned.as_of[-1])).isoformat(timespec="minutes")
    assert card[""]["learned from"] == [f"{len(learned.y)} rows, {learned.y.sum()} positive, until {last}"]
    assert card[""]["bundle"] == [f"`{bundle.sha256}`"]
    assert card[""]["data"] == [f"`{learned.digest}`"]
    assert card["metric"] == {
        name.replace("_", " "): [shown(seen[name]), f"{shown(seen[f'{name}_lower'])} to {shown(seen[f'{name}_upper'])}"]
        for name in METRICS
    }
    assert card["metric"]["auc"][0] == shown(roc_auc_score(test.y, scored.p))
    assert card["metric"]["log loss"][0] == shown(log_loss(test.y, scored.p))
    assert card["metric"]["precision"][0] == shown(precision_score(test.y, scored.p >= bundle.cuts.threshold))
    assert card["metric"]["recall"][0] == shown(recall_score(test.y, scored.p >= bundle.cuts.threshold))
    assert {name: (row[0], row[1], row[3]) for name, row in card["rule"].items()} == {
        rule["name"].replace("_", " "): (rule["state"], shown(rule["value"]), shown(rule["threshold"]))
        for rule in findings["rules"]
    }
    assert card["rule"]["precision"][1] == card["metric"]["precision"][0]
    for name, row in card["channel"].items():
        own = test.channel == name
        assert row[:4] == [
            str(own.sum()),
            str(test.y[own].sum()),
            shown(roc_auc_score(test.y[own], scored.p[own])),
            shown(log_loss(test.y[own], scored.p[own])),
        ]
    assert sum(int(row[0]) for row in card["month"].values()) == len(test.y)
    assert card["grade"] == {name: [shown(getattr(bundle.cuts, name.lower()))] for name in "ABC"} | {"D": ["0"]}
    assert f"Flagged: {shown(bundle.cuts.threshold)} or more." in text
    assert f"On {len(test.y)} later rows of {len(set(test.lead_id))} leads, {test.y.sum()} of them positive." in text
    assert f"calibration error of {shown(noise_floor(scored.p, seed=SEED))} there" in text


def test_training_again_gives_the_same_bytes_and_meets_the_champion(again: Trained) -> None:
    """The second version is the same bundle with the same look; the champion is one more rule of its verdict."""
    place, result = again
    registry.promote(place.site, "sale", state=place.state, decision=DECISION)

    second = train(place.site, place.catalogue, "sale", state=place.state)

    assert second.version == 2
    assert second.judgement.bundle_sha256 == result.judgement.bundle_sha256
    assert second.judgement.verdict.looks == 1
    champion = next(rule for rule in second.judgement.verdict.rules if rule.name == "log_loss_against_champion")
    assert (champion.value, champion.state) == (0.0, "pass")
    shelves = [bundle_folder(place.state, "sale", version) for version in (1, 2)]
    files = [{path.name: path.read_bytes() for path in shelf.iterdir()} for shelf in shelves]
    assert all(found.pop("certificate.json") for found in files)
    assert files[0] == files[1]


def test_a_planted_leak_stops_the_training_before_anything_is_made(tmp_path: Path) -> None:
    """A column copied from the outcome ends in the evidence, with no version, run or look."""
    rows = made_rows(600)
    rows["planted"] = rows["label"].astype(float)
    place = made_place(tmp_path, rows)

    with pytest.raises(SiteError, match=r"'planted' nearly decides the outcome by itself \(AUC 1.000"):
        train(place.site, place.catalogue, "sale", state=place.state)

    assert not (place.state / "bundles").exists()
    assert not (place.state / "mlflow").exists()
    assert not (place.state / "looks").exists()


def test_a_model_below_the_thresholds_is_kept_but_never_promoted(tmp_path: Path) -> None:
    """With noise for features the gate rejects; the version is tracked, has no certificate, and promote says why."""
    rows = made_rows(1200).drop(columns=["visits", "minutes"])
    rows["city"] = rows["city"].sample(frac=1.0, random_state=1).to_numpy()
    place = made_place(tmp_path, rows, precision=0.6, recall=0.5)

    result = train(place.site, place.catalogue, "sale", state=place.state)

    assert result.judgement.verdict.verdict == "reject"
    assert not (bundle_folder(place.state, "sale", 1) / "certificate.json").exists()
    with pytest.raises(SiteError, match="precision: fail"):
        registry.promote(place.site, "sale", state=place.state, decision=DECISION)
    assert current_champion(place.state, "sale") is None


def test_thirty_conversions_are_not_enough_evidence(tmp_path: Path) -> None:
    """A training with hardly any outcome ends by itself, with a verdict of its own."""
    rows = made_rows(400)
    rows.loc[rows["label"].cumsum() > 30, "label"] = 0
    place = made_place(tmp_path, rows)

    result = train(place.site, place.catalogue, "sale", state=place.state)

    assert result.judgement.verdict.verdict == "not_enough_evidence"
    with pytest.raises(SiteError, match="not_enough_evidence"):
        registry.promote(place.site, "sale", state=place.state, decision=DECISION)


def test_a_fact_that_arrives_later_changes_another_bundle(again: Trained) -> None:
    """Other training rows are another bundle and another look; the champion's bundle stays as it was."""
    place, result = again
    rows = made_rows(2000)
    rows.loc[:50, "noise"] = 9.0
    write_state(place, rows)

    second = train(place.site, place.catalogue, "sale", state=place.state)

    assert second.judgement.bundle_sha256 != result.judgement.bundle_sha256
    assert second.judgement.verdict.looks == 2
    assert second.judgement.verdict.alpha == pytest.approx(0.01)


def test_a_champion_answers_only_while_it_could_serve(again: Trained) -> None:
    """It scores the rows; without one of its columns it cannot, and says so; without its certificate it is none."""
    place, _ = again
    champion = registry.promote(place.site, "sale", state=place.state, decision=DECISION)
    test, target = as_dataset(place, made_rows(2000)).part("test"), place.site.targets["sale"]

    served, said = champion_rival(place.state, "sale", test, target)
    lacking, _ = champion_rival(place.state, "sale", replace(test, X=test.X.drop(columns="visits")), target)
    (bundle_folder(place.state, "sale", champion.version) / "certificate.json").unlink()
    uncertified, remark = champion_rival(place.state, "sale", test, target)

    assert served is not None
    assert served.p is not None
    assert served.p.shape == (400,)
    assert (served.rows, said) == (None, "")
    assert lacking is not None
    assert lacking.p is None
    assert "'visits'" in lacking.reason
    assert uncertified is None
    assert "champion 1 counts as none" in remark


def test_a_champion_is_no_rival_on_rows_that_it_learned_from(again: Trained) -> None:
    """Where the test now begins before the champion's training ended, only later rows count; too few leave it open."""
    place, _ = again
    registry.promote(place.site, "sale", state=place.state, decision=DECISION)
    target = place.site.targets["sale"]
    rows = as_dataset(place, made_rows(2000))
    wider = rows.where(np.arange(2000) >= 1000)
    early = rows.where((np.arange(2000) >= 1000) & (np.arange(2000) < 1650))

    cut, remark = champion_rival(place.state, "sale", wider, target)
    none, _ = champion_rival(place.state, "sale", early, target)

    assert cut is not None
    assert cut.rows is not None
    assert (wider.as_of[cut.rows] == rows.part("test").as_of).all()
    assert remark.startswith("600 of 1,000 test rows do not count: champion 1 learned from outcomes")
    assert none is not None
    assert none.p is None
    assert none.needed is not None
    assert "are too few to judge by: 40 of either are needed: train again with rows from later on" in none.reason
