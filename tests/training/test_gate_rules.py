"""Every rule of the gate can say no by itself, and says how much evidence would settle it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from leadlight.model.margins import FloatArray, sigmoid
from leadlight.settings import Gate
from training.evaluate import Scored, evaluate, log_odds
from training.gate import Rival, Trial, judge
from training.gate.needed import POWER, for_mean, for_share
from training.slices import Slice

ROWS = 4000
GATE = Gate(precision=0.3, recall=0.2, accuracy=0.6, auc=0.6, average_precision=0.3, lift=1.5)
PLENTY = {"training": (500, 500), "test": (500, 500)}
ADS = np.arange(ROWS) % 7 == 0


def good_trial() -> Trial:
    """A truthful model of 4,000 leads with two rivals that know less and two slices: all of its rules pass."""
    random = np.random.default_rng(4)
    p = random.beta(1, 4, ROWS)
    y = (random.random(ROWS) < p).astype(np.int8)
    blurred = Rival(0.7 * p + 0.3 * p.mean())
    return Trial(
        scored=(scored := Scored(np.arange(ROWS), y, p, p >= 0.3, np.arange(ROWS) % 50)),
        evaluation=evaluate(scored, seed=1, replicates=200),
        base_rate=np.full(ROWS, y.mean()),
        rivals={"logistic": blurred, "champion": blurred},
        outcomes=PLENTY,
        slices=(Slice("channel = ads", ADS), Slice("channel = search", ~ADS)),
    )


GOOD = good_trial()


def with_probabilities(p: FloatArray) -> Trial:
    """The good trial with other things said of the same rows, of which the same are flagged."""
    scored = replace(GOOD.scored, p=p)
    return replace(GOOD, scored=scored, evaluation=evaluate(scored, seed=1, replicates=200), rivals={})


def few(part: str, *, converted: int = 500, not_converted: int = 500) -> Trial:
    """The good trial with so many leads of either outcome in one part."""
    return replace(GOOD, outcomes={**PLENTY, part: (converted, not_converted)})


def flagging_few() -> Trial:
    """The good trial with its best 39 leads flagged."""
    best = GOOD.scored.p >= np.sort(GOOD.scored.p)[-39]
    return replace(GOOD, scored=replace(GOOD.scored, flagged=best))


def shifted() -> Trial:
    """Everybody is promised odds that are too high by three quarters, in the right order."""
    return with_probabilities(sigmoid(log_odds(GOOD.scored.p) + 0.55))


def too_bold() -> Trial:
    """High is said too high and low too low; as a whole it is right."""
    bold = sigmoid(1.8 * log_odds(GOOD.scored.p) + 0.9)
    return with_probabilities(np.clip(bold * GOOD.scored.y.mean() / bold.mean(), 0, 0.999))


def wrong_in_ads() -> Trial:
    """What is said of a seventh of the leads is the wrong way round; of all others it is what it was."""
    p = GOOD.scored.p.copy()
    order = np.argsort(p[ADS])
    turned = p[ADS].copy()
    turned[order] = p[ADS][order[::-1]]
    p[ADS] = turned
    return replace(GOOD, scored=replace(GOOD.scored, p=p), rivals={})


class Case(NamedTuple):
    """What makes just one rule say no."""

    rule: str
    trial: Callable[[], Trial] = lambda: GOOD
    gate: Gate = GATE


def asking(**more: float) -> Gate:
    """The site's gate with other thresholds."""
    return GATE.model_copy(update=more)


def rival(name: str) -> Callable[[], Trial]:
    """The good trial against one that knows the outcomes nearly."""
    knowing = Rival(np.clip(0.5 * GOOD.scored.p + 0.5 * GOOD.scored.y, 0.01, 0.99))
    return lambda: replace(GOOD, rivals={**GOOD.rivals, name: knowing})


CASES = [
    Case("converted_in_training", lambda: few("training", converted=39)),
    Case("not_converted_in_training", lambda: few("training", not_converted=39)),
    Case("converted_in_test", lambda: few("test", converted=39)),
    Case("not_converted_in_test", lambda: few("test", not_converted=39)),
    Case("flagged_in_test", flagging_few, asking(recall=0.01)),
    Case("precision", gate=asking(precision=0.6)),
    Case("recall", gate=asking(recall=0.9)),
    Case("accuracy", gate=asking(accuracy=0.95)),
    Case("auc", gate=asking(auc=0.95)),
    Case("average_precision", gate=asking(average_precision=0.9)),
    Case("lift", gate=asking(lift=4.0)),
    Case("log_loss_against_base_rate", lambda: replace(GOOD, base_rate=GOOD.scored.p**0.99, rivals={}, slices=())),
    Case("log_loss_against_logistic", rival("logistic")),
    Case("log_loss_against_champion", rival("champion")),
    Case("calibration_in_the_large", shifted, asking(calibration=1.5)),
    Case("calibration_error", too_bold, asking(calibration=1.25)),
    Case("worst_big_slice", wrong_in_ads),
    Case("unvouched_leaks", lambda: replace(GOOD, leaks=("column 'status' is filled in after the sale",))),
]


def test_a_rival_is_held_against_a_model_on_the_rows_it_did_not_see() -> None:
    """One that knows the outcomes of the first half wins on all rows; on the others it is no better than it is."""
    first = np.arange(ROWS) < ROWS // 2
    blurred = GOOD.rivals["champion"].p
    assert blurred is not None
    knowing = Rival(np.where(first, np.clip(GOOD.scored.y, 0.01, 0.99), blurred))

    on_all = judge(GATE, replace(GOOD, rivals={"champion": knowing}), looks=1)
    on_unseen = judge(GATE, replace(GOOD, rivals={"champion": replace(knowing, rows=~first)}), looks=1)

    (lost,) = (rule for rule in on_all.rules if rule.name == "log_loss_against_champion")
    (won,) = (rule for rule in on_unseen.rules if rule.name == "log_loss_against_champion")
    assert (lost.state, won.state) == ("fail", "pass")
    assert won.evidence.endswith("; on the 2,000 rows that it neither learned from nor was moved by")


def test_the_good_trial_passes_every_rule() -> None:
    """All rules pass, and there is a case for each of them."""
    verdict = judge(GATE, GOOD, looks=1)

    assert {rule.name: rule.state for rule in verdict.rules if rule.state != "pass"} == {}
    assert verdict.verdict == "promote"
    assert [rule.name for rule in verdict.rules] == [case.rule for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_every_rule_alone_says_no(case: Case) -> None:
    """Where one rule does not pass and all others do, there is no promotion; if it is open, it says what it needs."""
    verdict = judge(case.gate, case.trial(), looks=1)

    assert [rule.name for rule in verdict.rules if rule.state != "pass"] == [case.rule]
    assert verdict.verdict != "promote"
    for rule in verdict.rules:
        assert (rule.needed is not None) == bool(rule.unit) == (rule.state == "unsure")
        assert rule.needed is None or rule.needed > 0


@settings(max_examples=40)
@given(
    value=st.floats(0.05, 0.95),
    threshold=st.floats(0.05, 0.95),
    alpha=st.sampled_from([0.05, 0.03]),
)
def test_the_evidence_asked_for_is_enough(value: float, threshold: float, alpha: float) -> None:
    """With so many more rows, a share as found shows itself on its side of the threshold about 80 % of the time."""
    if abs(value - threshold) < 0.02:
        return
    more = for_share(value, threshold, rows=10, effect=1.0, alpha=alpha)
    assert more is not None
    rows = 10 + more

    if value > threshold:
        proving = binom.isf(alpha, rows, threshold) + 1
        chance = binom.sf(proving - 1, rows, value)
    else:
        proving = binom.ppf(alpha, rows, threshold) - 1
        chance = binom.cdf(proving, rows, value)

    assert rows < 60 or chance == pytest.approx(POWER, abs=0.15)


def test_evidence_on_the_threshold_never_settles() -> None:
    """A share, or a mean, that lies on its threshold is settled by no number of rows."""
    assert for_share(0.3, 0.3, rows=100, effect=1.0, alpha=0.05) is None
    assert for_mean(0.0, 0.1, units=100, alpha=0.05) is None


def test_an_error_twice_too_wide_needs_four_times_the_evidence() -> None:
    """A distance of (1.645 + 0.842) errors is found 80 % of the time; half of it takes four times as much."""
    enough = for_mean(2.487, 1.0, units=1000, alpha=0.05)
    half = for_mean(2.487 / 2, 1.0, units=1000, alpha=0.05)

    assert enough is not None
    assert enough <= 2
    assert half == pytest.approx(3000, abs=3)


def test_open_precision_asks_for_flagged_leads() -> None:
    """A precision of 0.44 against 0.43 needs many thousand more flagged leads than there are."""
    verdict = judge(asking(precision=0.43), GOOD, looks=1)

    rule = next(rule for rule in verdict.rules if rule.name == "precision")
    assert verdict.verdict == "not_enough_evidence"
    assert rule.unit == "flagged leads"
    assert rule.needed is not None
    assert rule.needed > 1000
