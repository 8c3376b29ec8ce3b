"""What calls to everybody would have found, where the truth is known: no bias, and intervals that keep their word."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import chi2

from leadlight.model.margins import FloatArray, sigmoid
from training.monitor.explored import Corrected, Flags, Interval, Labels, corrected


class Drawn(NamedTuple):
    """Leads of which 200 are flagged, and what became of those called."""

    promised: FloatArray
    labels: Labels
    flagged: Flags
    explored: Flags
    chance: FloatArray

    def found(self) -> Corrected:
        """What is said of them all."""
        found = corrected(self.promised, self.labels, flagged=self.flagged, explored=self.explored, chance=self.chance)
        assert found is not None
        return found


def drawn(
    random: np.random.Generator, *, share: float, flagged: float, others: float, changed: float | None = None
) -> Drawn:
    """2,000 leads of these two rates; in the second half the share is ``changed`` and others convert twice as often."""
    number = np.arange(2_000)
    is_flagged, late = number < 200, (number % 2 == 1) & (changed is not None)
    promised = np.where(is_flagged, flagged, np.where(late, 2 * others, others))
    chance = np.where(is_flagged, np.nan, np.where(late, changed or 0.0, share))
    explored = ~is_flagged & (random.random(2_000) < np.nan_to_num(chance))
    called_for = random.random(2_000) < promised
    labels = (called_for & (is_flagged | explored)).astype(np.int8)
    return Drawn(promised, labels, is_flagged, explored, chance)


def holds(interval: Interval | None, truth: float) -> bool:
    """Whether the truth is in it; an unknown claims nothing, so it does not count as right."""
    return interval is not None and interval.lower <= truth <= interval.upper


@pytest.mark.parametrize(
    ("share", "flagged", "others", "changed"),
    [(0.02, 0.45, 0.03, None), (0.05, 0.45, 0.03, None), (0.2, 0.45, 0.03, None), (0.02, 0.3, 0.04, 0.1)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    share: float, flagged: float, others: float, changed: float | None
) -> None:
    """In 93 of 100 draws or more, for rate and recall alike, also where a share of 2 % finds next to none."""
    random = np.random.default_rng(11)
    rate_held, recall_held = [], []
    for _ in range(400):
        rows = drawn(random, share=share, flagged=flagged, others=others, changed=changed)
        found = rows.found()
        rate_held.append(holds(found.observed, float(rows.promised.mean())))
        of_flagged = float(rows.promised[rows.flagged].sum() / rows.promised.sum())
        recall_held.append(holds(found.recall, of_flagged))

    assert np.mean(rate_held) >= 0.93
    assert np.mean(recall_held) >= 0.93


def test_weights_undo_the_choice_of_who_is_called() -> None:
    """Calls raise conversions, and only flagged leads are called: explored ones tell what calls to all would do."""
    random = np.random.default_rng(3)
    gaps, recall_gaps = [], []
    for _ in range(60):
        margins = random.normal(-1.5, 1.0, 2_000)
        called_for = random.random(2_000) < sigmoid(margins + 0.7)  # the outcome if called
        otherwise = called_for & (random.random(2_000) < 0.5)  # half of them if not
        flagged = margins > -0.3
        explored = ~flagged & (random.random(2_000) < 0.1)
        labels = np.where(flagged | explored, called_for, otherwise).astype(np.int8)
        found = corrected(sigmoid(margins), labels, flagged=flagged, explored=explored, chance=np.full(2_000, 0.1))
        assert found is not None
        assert found.observed is not None
        assert found.recall is not None
        assert found.observed.value is not None
        assert found.recall.value is not None
        gaps.append(found.observed.value - called_for.mean())
        recall_gaps.append(found.recall.value - called_for[flagged].sum() / called_for.sum())

    assert abs(np.mean(gaps)) < 0.01
    assert abs(np.mean(recall_gaps)) < 0.03


def test_with_equal_chances_it_is_garwoods_interval() -> None:
    """Three conversions of forty explored, nobody flagged: the Poisson interval of three, for each lead."""
    labels = np.repeat([1, 0], [3, 397]).astype(np.int8)
    explored = np.arange(400) < 40
    nobody = np.zeros(400, dtype=np.bool_)

    found = corrected(np.full(400, 0.1), labels, flagged=nobody, explored=explored, chance=np.full(400, 0.1))

    assert found is not None
    assert found.observed is not None
    assert found.observed.value == pytest.approx(3 / 40)
    assert found.observed.lower == pytest.approx(chi2.ppf(0.025, 6) / 2 / 40)
    assert found.observed.upper == pytest.approx(chi2.ppf(0.975, 8) / 2 / 40)


def test_no_conversion_of_few_explored_is_no_recall_of_one() -> None:
    """There is an interval up to 1, and no number that would be taken for the recall."""
    number = np.arange(2_000)
    flagged, explored = number < 200, (number >= 200) & (number < 236)
    chance = np.where(flagged, np.nan, 0.02)

    found = corrected(
        np.full(2_000, 0.05), (number < 90).astype(np.int8), flagged=flagged, explored=explored, chance=chance
    )

    assert found is not None
    assert (found.flagged_converted, found.explored, found.explored_converted) == (90, 36, 0)
    assert found.recall is not None
    assert found.observed is not None
    assert found.recall.value is found.observed.value is None
    assert found.recall.upper == 1.0
    assert 0.25 < found.recall.lower < 0.45
    assert found.observed.upper > 0.1


def test_where_nothing_can_be_said_it_is_unknown() -> None:
    """No lead drawn of those that could be: neither rate nor recall; nobody converted: no recall."""
    flagged, nobody = np.arange(100) < 20, np.zeros(100, dtype=np.bool_)
    promised, chance = np.full(100, 0.2), np.full(100, 0.02)

    undrawn = corrected(promised, flagged.astype(np.int8), flagged=flagged, explored=nobody, chance=chance)
    silent = corrected(promised, nobody.astype(np.int8), flagged=flagged, explored=~flagged, chance=chance)

    assert undrawn is not None
    assert (undrawn.flagged_converted, undrawn.explored) == (20, 0)
    assert undrawn.observed is undrawn.recall is None
    assert silent is not None
    assert silent.recall is None
    assert silent.observed is not None
    assert (silent.observed.value, silent.observed.lower) == (None, 0.0)


def test_without_exploration_nothing_is_corrected() -> None:
    """Flagged leads alone say nothing of the others."""
    none = np.zeros(100, dtype=np.bool_)

    found = corrected(
        np.full(100, 0.2), none.astype(np.int8), flagged=~none, explored=none, chance=np.full(100, np.nan)
    )

    assert found is None
