"""What an offset that follows outcomes has to prove on later leads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leadlight.model.margins import sigmoid
from training.offset import forward_rule

FIRST = {"offset": 0.0, "error": 0.12}


def judged(shift: float, *, leads: int = 1000, seed: int = 1, base: float = -2.7) -> dict[str, Any]:
    """The rule on leads whose log-odds are so much higher than the model says; one in ten or so converts."""
    random = np.random.default_rng(seed)
    before = random.normal(base, 1.2, leads)
    labels = (random.random(leads) < sigmoid(before + shift)).astype(np.int8)
    return forward_rule(before, labels, np.arange(leads) // 10, now=0.0, first=FIRST)


def test_a_real_shift_is_followed_and_noise_is_not() -> None:
    """Of 60 draws each: a shift that more than doubles the odds nearly always passes, and none at all hardly ever."""
    real = [judged(0.9, seed=seed)["state"] for seed in range(60)]
    noise = [judged(0.0, seed=seed)["state"] for seed in range(60)]

    assert real.count("pass") >= 57
    assert noise.count("pass") <= 9  # 3 to 4 expected


def test_it_is_the_upper_bound_that_must_lie_under_the_harm_allowed() -> None:
    """A passed rule shows it; the allowed harm is a thousandth of what knowing the base rate alone costs."""
    rule = judged(0.9)

    assert rule["state"] == "pass"
    assert rule["value"] < rule["upper"] <= rule["threshold"]
    assert 0.0002 < rule["threshold"] < 0.001


def test_worse_is_refused_though_it_is_not_surely_worse() -> None:
    """Where following cost something on the later leads, by no more than chance might, the rule is unsure."""
    costly = [rule for seed in range(60) if (rule := judged(0.0, seed=seed))["value"] > 0.0005]

    assert len(costly) > 3
    assert {rule["state"] for rule in costly} <= {"unsure", "fail"}
    assert any(rule["lower"] < 0 for rule in costly)
    assert all("nothing is gained" in rule["evidence"] for rule in costly if rule["state"] == "unsure")


@pytest.mark.parametrize(("leads", "words"), [(120, " would settle it, if the shift"), (1000, "only the last 1,000")])
def test_an_unsure_rule_says_how_much_more_it_takes(leads: int, words: str) -> None:
    """In leads; and that no more than a thousand are looked at, where it takes more."""
    unsure = [
        rule
        for seed in range(200)
        if (rule := judged(0.3, leads=leads, seed=seed))["state"] == "unsure" and rule["value"] < 0
    ]

    assert unsure
    assert all(rule["needed"] >= 1 for rule in unsure)
    assert any(words in rule["evidence"] for rule in unsure)
