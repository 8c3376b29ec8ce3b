"""What a champion was when it was judged."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from leadlight.model.margins import sigmoid
from training.as_judged import AsJudged, Found, slope_of


def drawn(leads: int, *, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Margins that are too timid and too low, what became of the leads, and their grades."""
    random = np.random.default_rng(seed)
    margins = random.normal(-1.5, 1.2, leads)
    labels = (random.random(leads) < sigmoid(1.3 * margins + 0.4)).astype(np.int8)
    return margins, labels, np.where(margins > -1.0, "A", "B").astype(object)


def test_it_finds_the_shift_and_the_slope_that_are_there() -> None:
    """Each estimate is within three of its standard errors, which shrink as leads are more."""
    few, many = AsJudged.of(*drawn(1_000)), AsJudged.of(*drawn(40_000))

    for found in (few, many):
        assert found.slope is not None
        assert found.slope.value == pytest.approx(1.3, abs=3 * found.slope.error)
    assert few.slope is not None
    assert many.slope is not None
    assert many.slope.error == pytest.approx(few.slope.error / math.sqrt(40), rel=0.1)
    assert many.shift.error == pytest.approx(few.shift.error / math.sqrt(40), rel=0.1)
    assert many.grades["A"].value > many.grades["B"].value


def test_the_errors_are_what_draws_show() -> None:
    """Over many draws, shift and slope spread as their standard errors say."""
    draws = [AsJudged.of(*drawn(400, seed=seed)) for seed in range(200)]

    slopes = [found.slope for found in draws if found.slope is not None]
    for found in (slopes, [each.shift for each in draws], [each.grades["A"] for each in draws]):
        spread = np.std([each.value for each in found])
        assert spread == pytest.approx(np.mean([each.error for each in found]), rel=0.15)


def test_it_is_read_as_it_was_written() -> None:
    """As JSON and back it is the same, to the bit, and so the same for the same leads."""
    found = AsJudged.of(*drawn(500))

    assert AsJudged.read(json.loads(json.dumps(found.to_json()))) == found == AsJudged.of(*drawn(500))


def test_too_few_outcomes_have_no_slope() -> None:
    """Fewer than 20 of either, or margins that part them without a fault, say nothing of a slope."""
    margins = np.linspace(-2.0, 2.0, 100)
    labels = (np.arange(100) % 5 == 0).astype(np.int8)

    assert slope_of(margins, labels) is not None
    assert slope_of(margins, np.where(np.arange(100) < 5, 0, labels).astype(np.int8)) is None
    assert slope_of(margins, (margins > 0).astype(np.int8)) is None
    assert slope_of(np.zeros(100), labels) is None


def test_an_offset_that_followed_is_held_to_be_right() -> None:
    """The level is 0 with the error of the move, the slope stays, grades stay as far off the whole; again too."""
    judged = AsJudged(400, 60, Found(0.3, 0.15), Found(1.2, 0.1), {"A": Found(0.5, 0.25), "B": Found(0.2, 0.15)})

    once = judged.followed(0.2)
    twice = once.followed(0.1)

    assert (once.shift, once.slope) == (Found(0.0, 0.2), judged.slope)
    assert once.grades["A"].value == pytest.approx(0.2)
    assert once.grades["A"].error == pytest.approx(math.sqrt(0.25**2 - 0.15**2 + 0.2**2))
    assert once.grades["B"].error == pytest.approx(0.2)
    assert twice.grades["A"].value == pytest.approx(0.2)
    assert twice.grades["A"].error == pytest.approx(math.sqrt(0.25**2 - 0.15**2 + 0.1**2))
