"""Performance before outcomes, and what outcomes say of delay, challenger and the leads nobody called."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from leadlight.model.margins import sigmoid
from leadlight.schema import DAY, HOUR
from leadlight.settings import Gate
from training.monitor.findings import findings
from training.monitor.outcome import challenge, label_delays
from training.monitor.performance import expected_performance, performance_checks


def test_the_estimate_holds_what_comes() -> None:
    """Where probabilities are right, precision, recall and AUC fall into their intervals about 95 times in 100."""
    random = np.random.default_rng(1)
    inside = dict.fromkeys(("precision", "recall", "auc"), 0)
    margins = random.normal(-1.5, 1.0, 400)
    flagged = margins > -0.5
    found = expected_performance(margins, flagged, error=0.05, seed=7)
    assert found is not None

    for _ in range(200):
        labels = random.random(400) < sigmoid(margins + random.normal(0, 0.05))
        came = {
            "precision": labels[flagged].mean(),
            "recall": labels[flagged].sum() / labels.sum(),
            "auc": roc_auc_score(labels, margins),
        }
        for name, value in came.items():
            inside[name] += found.metrics[name].lower <= value <= found.metrics[name].upper

    assert all(180 <= count <= 199 for count in inside.values()), inside


def test_an_unsure_offset_widens_the_estimate() -> None:
    """What is not known of the probabilities is not known of the precision."""
    margins = np.random.default_rng(1).normal(-1.5, 1.0, 2_000)

    sure, unsure = (expected_performance(margins, margins > 0, error=error, seed=7) for error in (0.0, 0.4))

    assert sure is not None
    assert unsure is not None
    width = [each.metrics["precision"].upper - each.metrics["precision"].lower for each in (sure, unsure)]
    assert width[1] > 1.5 * width[0]


def test_a_precision_below_the_gates_is_a_finding() -> None:
    """If hardly any draw reaches what the gate asked for; one that is well above is none."""
    margins = np.full(500, -2.0)
    found = expected_performance(margins, np.arange(500) < 200, error=0.1, seed=7)
    assert found is not None

    low = findings(list(performance_checks(found, Gate(precision=0.4, recall=0.1))), false_alarms=0.05)
    high = findings(list(performance_checks(found, Gate(precision=0.05, recall=0.1))), false_alarms=0.05)

    assert [(each.subject, each.advice) for each in low] == [("precision", "retrain")]
    assert high == []


def test_too_few_leads_or_no_flag_give_no_estimate() -> None:
    """Forty leads are too few, and without a flagged one there is no precision."""
    assert expected_performance(np.zeros(40), np.ones(40, dtype=np.bool_), error=0.1, seed=7) is None
    assert expected_performance(np.zeros(400), np.zeros(400, dtype=np.bool_), error=0.1, seed=7) is None


def test_outcomes_that_come_late_are_told() -> None:
    """One in ten after the declared delay is a finding; one in two hundred is not."""
    delays = np.full(400, HOUR)
    late, rarely = delays.copy(), delays.copy()
    late[:40], rarely[:2] = 3 * DAY, 3 * DAY

    told, checks = label_delays(late, declared=2 * DAY)
    _, quiet = label_delays(rarely, declared=2 * DAY)

    assert told is not None
    assert (told.outcomes, told.median, told.most, told.late) == (400, HOUR, 3 * DAY, 0.1)
    assert "outcome_delay" in findings(checks, false_alarms=0.05)[0].advice
    assert findings(quiet, false_alarms=0.05) == []
    assert label_delays(np.empty(0, dtype=np.int64), declared=DAY) == (None, [])


def test_the_better_of_two_on_the_same_leads() -> None:
    """A challenger that knows the truth beats a champion that is off, with the whole interval below zero."""
    random = np.random.default_rng(2)
    margins = random.normal(-1, 1, 1_500)
    labels = (random.random(1_500) < sigmoid(margins)).astype(np.int8)

    day = np.arange(1_500) // 50
    found = challenge("2", sigmoid(margins + 0.8), sigmoid(margins), labels, day=day)

    assert found is not None
    assert found.lower < found.difference < found.upper < 0
    assert found.champion_auc == found.challenger_auc
    assert challenge("2", sigmoid(margins[:9]), sigmoid(margins[:9]), labels[:9], day=day[:9]) is None


def test_days_that_differ_make_a_challenger_less_sure() -> None:
    """Where all leads of a day fare alike there are as many outcomes as days, and the interval is that wide."""
    random = np.random.default_rng(4)
    day = np.arange(1_000) // 50
    labels = (random.random(20) < 0.5).astype(np.int8)[day]
    champion, challenger = np.full(1_000, 0.45), np.full(1_000, 0.55)

    together = challenge("2", champion, challenger, labels, day=day)
    apart = challenge("2", champion, challenger, labels, day=np.zeros(1_000, dtype=np.int64))

    assert together is not None
    assert apart is not None
    assert together.difference == apart.difference
    assert together.upper - together.lower > 6 * (apart.upper - apart.lower)
