"""The gate's three answers, its exact bounds, and how often it is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom

from leadlight.model.certificate import PUBLIC_KEY, pinned_key, read_certificate
from leadlight.model.manifest import CERTIFICATE, MANIFEST, sha256
from leadlight.model.margins import FloatArray
from leadlight.settings import Gate
from training.evaluate import Scored, evaluate
from training.gate import (
    ALPHA,
    Rival,
    Rule,
    Trial,
    Verdict,
    alpha_of,
    certify,
    clopper_pearson,
    design_effect,
    judge,
    proportion_rule,
)

GATE = Gate(precision=0.3, recall=0.2)
PLENTY = {"training": (500, 500), "test": (500, 500)}


def trial(*, rivals: dict[str, Rival] | None = None, outcomes: dict[str, tuple[int, int]] | None = None) -> Trial:
    """A truthful model of 4,000 leads that finds about half of the converted at a precision of about a half."""
    random = np.random.default_rng(4)
    p = random.beta(1, 4, 4000)
    y = (random.random(4000) < p).astype(np.int8)
    scored = Scored.of(np.arange(4000).astype(str).astype(object), y, p, threshold=0.3)
    evaluation = evaluate(scored, seed=1, replicates=200)
    return Trial(scored, evaluation, np.full(4000, y.mean()), rivals or {}, outcomes or PLENTY)


def rule_of(verdict: Verdict, name: str) -> Rule:
    """The rule of that name."""
    return next(rule for rule in verdict.rules if rule.name == name)


def precision_rule(
    converted: np.ndarray, lead: np.ndarray | None = None, *, threshold: float = 0.3, alpha: float = ALPHA
) -> Rule:
    """The precision rule where every row is flagged."""
    lead = np.arange(len(converted)) if lead is None else lead
    return proportion_rule("precision", threshold, hits=converted, lead=lead, day=None, alpha=alpha, unit="leads")


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (GATE, "promote"),
        (Gate(precision=0.3, recall=0.2, accuracy=0.6, auc=0.6, average_precision=0.3, lift=1.5), "promote"),
        (Gate(precision=0.43, recall=0.2), "not_enough_evidence"),
        (Gate(precision=0.6, recall=0.2), "reject"),
        (Gate(precision=0.3, recall=0.9), "reject"),
        (Gate(precision=0.3, recall=0.2, auc=0.95), "reject"),
        (Gate(precision=0.43, recall=0.9), "reject"),
    ],
)
def test_each_threshold_can_pass_fail_or_stay_open(gate: Gate, expected: str) -> None:
    """All rules proven promotes, one disproven rejects whatever else is open, one open leaves not enough evidence."""
    verdict = judge(gate, trial(), looks=1)

    assert verdict.verdict == expected
    for name in ("precision", "recall"):
        rule = rule_of(verdict, name)
        assert rule.value is not None
        assert rule.lower is not None
        assert rule.upper is not None
        assert rule.lower < rule.value < rule.upper
        state = "pass" if rule.lower >= rule.threshold else "fail" if rule.upper < rule.threshold else "unsure"
        assert rule.state == state


@pytest.mark.parametrize("outcomes", [{"training": (39, 500)}, {"training": (500, 500), "test": (500, 39)}])
def test_too_few_outcomes_conclude_nothing(outcomes: dict[str, tuple[int, int]]) -> None:
    """With 39 leads of an outcome neither a good nor a hopeless model is judged."""
    for gate in (GATE, Gate(precision=0.9, recall=0.9)):
        verdict = judge(gate, trial(outcomes=outcomes), looks=1)

        assert verdict.verdict == "not_enough_evidence"
        assert "unsure" in {rule.state for rule in verdict.rules if rule.value == 39}


def test_a_model_that_flags_nobody_is_not_promoted() -> None:
    """Without flagged rows precision is open and recall disproven."""
    one = trial()
    scored = Scored(one.scored.lead, one.scored.y, one.scored.p, np.zeros_like(one.scored.flagged))

    verdict = judge(GATE, replace(one, scored=scored, evaluation=evaluate(scored, seed=1, replicates=50)), looks=1)

    assert verdict.verdict == "reject"
    assert rule_of(verdict, "precision").state == "unsure"
    assert rule_of(verdict, "flagged_in_test").state == "unsure"


def worse(p: FloatArray, by: float) -> FloatArray:
    """Probabilities drawn towards one half: a rival of higher loss."""
    return (1 - by) * p + by * 0.5


@pytest.mark.parametrize("name", ["logistic", "champion"])
def test_a_model_must_not_be_worse_than_its_rivals(name: str) -> None:
    """A clearly better rival rejects; a worse one, or for the margin's sake an equal one, does not."""
    one = trial()
    truth, blurred = one.scored.p, worse(one.scored.p, 0.15)
    weak = replace(one.scored, p=blurred)

    beaten = judge(GATE, replace(one, scored=weak, rivals={name: Rival(truth)}), looks=1)
    winning = judge(GATE, replace(one, rivals={name: Rival(blurred)}), looks=1)
    equal = judge(GATE, replace(one, rivals={name: Rival(truth)}), looks=1)

    assert (beaten.verdict, winning.verdict, equal.verdict) == ("reject", "promote", "promote")
    assert rule_of(beaten, f"log_loss_against_{name}").state == "fail"
    assert rule_of(beaten, "log_loss_against_base_rate").state == "pass"


def test_a_model_must_beat_the_base_rate() -> None:
    """Knowing as much as the base rate, or less, is never enough."""
    one = trial()

    idle = judge(GATE, replace(one, scored=replace(one.scored, p=one.base_rate)), looks=1)
    harmful = judge(GATE, replace(one, scored=replace(one.scored, p=1 - one.scored.p)), looks=1)

    assert harmful.verdict == "reject"
    assert rule_of(idle, "log_loss_against_base_rate").threshold == 0.0
    assert rule_of(harmful, "log_loss_against_base_rate").state == "fail"


@pytest.mark.parametrize(("lost", "at_most", "at_least"), [(0.1, 0.06, 0.0), (0.02, 1.0, 0.8)])
def test_how_often_a_worse_model_passes_the_comparison(lost: float, at_most: float, at_least: float) -> None:
    """One that gives up the whole margin passes about one time in twenty, one that gives up a fifth of it mostly."""
    random = np.random.default_rng(2)
    truth = random.beta(0.5, 2, 2000)
    rate = np.full(2000, 0.2)
    entropy = float(np.mean(truth * -np.log(truth) + (1 - truth) * -np.log1p(-truth)))
    gain = float(np.mean(truth * -np.log(rate) + (1 - truth) * -np.log1p(-rate))) - entropy
    scale = brentq(lambda by: _expected_loss(truth, by) - entropy - lost * gain, 0.0, 0.5)
    p = worse(truth, scale)
    evaluation = trial().evaluation
    passed = 0

    for _ in range(200):
        y = (random.random(2000) < truth).astype(np.int8)
        scored = Scored(np.arange(2000), y, p, p >= 0.4)
        case = Trial(scored, evaluation, rate, {"logistic": Rival(truth)}, PLENTY)
        passed += rule_of(judge(GATE, case, looks=1), "log_loss_against_logistic").state == "pass"

    assert at_least * 200 <= passed <= at_most * 200


def _expected_loss(truth: FloatArray, by: float) -> float:
    said = worse(truth, by)
    return float(np.mean(truth * -np.log(said) + (1 - truth) * -np.log1p(-said)))


def test_a_rival_that_cannot_answer_leaves_the_question_open() -> None:
    """A champion without its columns is no reason to promote: the rule is unsure and says why."""
    verdict = judge(GATE, trial(rivals={"champion": Rival(None, "column 'visits' is gone")}), looks=1)

    assert verdict.verdict == "not_enough_evidence"
    assert rule_of(verdict, "log_loss_against_champion").evidence == "column 'visits' is gone"


def test_every_further_candidate_must_prove_more() -> None:
    """The tenth look at a window has the less of the 5 %: lower bounds fall, the bounds that reject stay."""
    first, tenth = (judge(GATE, trial(), looks=looks) for looks in (1, 10))

    for name in ("precision", "recall"):
        assert (rule_of(tenth, name).lower or 0) < (rule_of(first, name).lower or 0)
        assert rule_of(tenth, name).upper == rule_of(first, name).upper
    assert first.alpha == 0.03
    assert tenth.alpha == pytest.approx(0.02 / 90)


def test_all_candidates_on_a_window_share_five_percent() -> None:
    """Each further one has less, and the sum over any number of them stays below 5 %."""
    shares = [alpha_of(place) for place in range(1, 5001)]

    assert all(later < sooner for sooner, later in pairwise(shares))
    assert ALPHA - 1e-5 < sum(shares) < ALPHA


@given(trials=st.integers(1, 400), data=st.data(), alpha=st.sampled_from([0.05, 0.005]))
def test_bounds_are_exact(trials: int, data: st.DataObject, alpha: float) -> None:
    """At each bound the count that was seen, or a more extreme one, has probability alpha."""
    successes = data.draw(st.integers(0, trials))

    lower, upper = clopper_pearson(successes, trials, alpha=alpha)

    assert 0.0 <= lower <= successes / trials <= upper <= 1.0
    if successes > 0:
        assert binom.sf(successes - 1, trials, lower) == pytest.approx(alpha)
    if successes < trials:
        assert binom.cdf(successes, trials, upper) == pytest.approx(alpha)


@pytest.mark.parametrize(
    ("precision", "flagged", "at_most", "at_least"),
    [
        (0.28, 100, 0.01, 0.0),
        (0.28, 1000, 0.01, 0.0),
        (0.30, 100, 0.05, 0.0),
        (0.30, 1000, 0.05, 0.0),
        (0.35, 1000, 1.0, 0.9),
    ],
)
def test_how_often_a_model_passes(precision: float, flagged: int, at_most: float, at_least: float) -> None:
    """Exactly, at the first look: two points under 0.30 at most 1 %, on it 5 %, five points over at least 90 %."""
    counts = range(flagged + 1)
    passing = [n for n in counts if precision_rule(np.arange(flagged) < n, alpha=alpha_of(1)).state == "pass"]

    chance = binom.sf(min(passing) - 1, flagged, precision)

    assert passing == list(range(min(passing), flagged + 1))
    assert at_least <= chance <= at_most


def test_rows_of_the_same_lead_are_no_new_evidence() -> None:
    """Leads seen five times with one outcome each: a model at the threshold still passes at most about 5 %."""
    random = np.random.default_rng(8)
    lead = np.repeat(np.arange(80), 5)

    def passes(rule_lead: np.ndarray) -> int:
        converted = np.repeat(random.random((300, 80)) < 0.3, 5, axis=1)
        return sum(precision_rule(row, rule_lead).state == "pass" for row in converted)

    clustered, naive = passes(lead), passes(np.arange(400))

    assert clustered <= 0.07 * 300
    assert naive >= 0.15 * 300


def test_the_design_effect_counts_independent_rows() -> None:
    """Single rows count in full, k equal rows of a lead as one, and opposite rows never as more than they are."""
    once, four_times = np.arange(50), np.repeat(np.arange(50), 4)
    half = np.arange(50) % 2 == 0

    assert design_effect(half, once) == pytest.approx(1.0)
    assert design_effect(np.repeat(half, 4), four_times) == pytest.approx(4.0, rel=0.02)
    assert design_effect(np.tile([True, False], 50), np.repeat(np.arange(50), 2)) == 1.0
    assert design_effect(np.ones(150, dtype=bool), np.repeat(np.arange(50), 3)) == pytest.approx(3.0)
    assert design_effect(half, once, np.arange(50) // 5 % 2 + 2 * (np.arange(50) % 2) + 4 * (np.arange(50) // 25)) > 5.0


def test_only_promote_is_certified(tmp_path: Path) -> None:
    """A rejected or open candidate gets no certificate; a promoted one a genuine one with every rule."""
    bundle, state = tmp_path / "bundle", tmp_path / "state"
    bundle.mkdir()
    (bundle / MANIFEST).write_bytes(b"{}")
    name = sha256(b"{}")
    refused = [judge(Gate(precision=precision, recall=0.2), trial(), looks=1) for precision in (0.43, 0.6)]
    promoted = judge(GATE, trial(), looks=1)

    for verdict in refused:
        assert not certify(verdict, bundle=bundle, bundle_sha256=name, target_name="sale", state=state)
        assert not (bundle / CERTIFICATE).exists()
    assert certify(promoted, bundle=bundle, bundle_sha256=name, target_name="sale", state=state)

    certificate = read_certificate(bundle, pinned_key(state / "keys" / PUBLIC_KEY))
    verdict = json.loads(json.dumps(promoted.to_json()))
    assert certificate.findings == {**verdict, "hashes": {"bundle": name}}
