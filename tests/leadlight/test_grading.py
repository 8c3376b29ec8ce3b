from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.grading import Cuts

CUTS = Cuts(threshold=0.4, a=0.5, b=0.3, c=0.1, quantiles=tuple(place / 100 for place in range(101)))
probabilities = st.floats(min_value=0, max_value=1)


@pytest.mark.parametrize(
    ("probability", "grade"), [(0.9, "A"), (0.5, "A"), (0.49, "B"), (0.3, "B"), (0.1, "C"), (0.09, "D"), (0.0, "D")]
)
def test_a_probability_at_a_cut_has_the_better_grade(probability: float, grade: str) -> None:
    """Grades begin at their cut."""
    assert CUTS.grade(probability) == grade


@given(probabilities, probabilities)
def test_a_higher_probability_is_never_worse(one: float, other: float) -> None:
    """Grade, score and flag keep the order of probabilities."""
    low, high = sorted([one, other])

    assert CUTS.grade(high) <= CUTS.grade(low)
    assert 0 <= CUTS.score(low) <= CUTS.score(high) <= 100
    assert CUTS.flagged(low) <= CUTS.flagged(high)


@pytest.mark.parametrize(("probability", "score"), [(0.0, 0), (0.255, 25), (0.5, 50), (1.0, 100)])
def test_the_score_is_the_percentile(probability: float, score: int) -> None:
    """A probability between two percentiles has the lower one."""
    assert CUTS.score(probability) == score


def test_where_all_are_equal_everybody_is_in_the_middle() -> None:
    """With one probability for all, its score is 50, less is 0 and more is 100."""
    cuts = Cuts(threshold=0.2, a=0.2, b=0.2, c=0.2, quantiles=(0.2,) * 101)

    assert [cuts.score(probability) for probability in (0.1, 0.2, 0.3)] == [0, 50, 100]


def test_cuts_survive_their_document() -> None:
    """Cuts read back from their JSON are equal."""
    assert Cuts.from_json(CUTS.to_json()) == CUTS
