"""How far out a count is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from scipy.stats import binomtest, norm, poisson_binom

from leadlight.model.margins import sigmoid
from training.as_judged import Found
from training.monitor.counts import MOST_FOR_EXACT, approximate_tail, count_p, tails

CLOSE = 0.06
"""What the approximation may be off, as a share of the exact tail."""


def test_the_exact_p_value_is_the_binomial_one_for_equal_promises() -> None:
    """For one probability it is twice the smaller tail of the binomial distribution."""
    for hits in (0, 7, 10, 18):
        smaller = min(binomtest(hits, 50, 0.2, alternative=side).pvalue for side in ("less", "greater"))
        assert count_p(np.full(50, logit(0.2)), hits) == pytest.approx(min(1.0, 2 * smaller))


@given(
    leads=st.integers(100, MOST_FOR_EXACT),
    expected=st.floats(2.0, 60.0),
    spread=st.floats(0.0, 2.0),
    away=st.floats(-4.5, 4.5),
)
def test_the_approximation_agrees_with_the_exact_tail(leads: int, expected: float, spread: float, away: float) -> None:
    """Wherever both can be had, from two expected conversions on, it is within 6 % of either tail beyond 1e-8."""
    margins = np.random.default_rng(leads).normal(logit(expected / leads / 1.5), spread, leads)
    counts = poisson_binom(sigmoid(margins))
    hits = min(max(round(float(counts.mean()) + away * float(counts.std())), 1), leads)

    at_least, fewer = float(counts.sf(hits - 1)), float(counts.cdf(hits - 1))

    found = approximate_tail(margins, hits)
    assert found == pytest.approx(at_least, rel=CLOSE, abs=1e-8)
    assert 1.0 - found == pytest.approx(fewer, rel=CLOSE, abs=1e-8)


def test_at_the_mean_the_approximation_has_no_gap() -> None:
    """Where the formula is nought by nought, its limit stands: as near to the exact tail as beside it."""
    margins = np.zeros(1_001)  # the mean is 500.5, the point that stands for "at least 501"

    exact = float(poisson_binom(sigmoid(margins)).sf(500))

    assert approximate_tail(margins, 501) == pytest.approx(exact, abs=1e-9)
    assert approximate_tail(margins + 1e-6, 501) == pytest.approx(exact, abs=1e-4)


def test_the_ends_are_certain() -> None:
    """None or more is sure, more than there are is impossible; both kinds of tail say so."""
    for leads in (10, MOST_FOR_EXACT + 10):
        margins = np.full(leads, -1.0)

        assert tails(margins, 0)[1] == tails(margins, leads)[0] == 1.0
        assert approximate_tail(margins, leads + 1) == 0.0


def test_a_million_leads_have_an_answer() -> None:
    """So many are normally distributed; the exact way, whose cost grows with their square, would not end."""
    margins = np.random.default_rng(1).normal(-3.0, 1.0, 1_000_000)
    said = sigmoid(margins)
    deviation = float(np.sqrt(np.sum(said * (1.0 - said))))

    p = count_p(margins, round(float(said.sum()) + 2.5 * deviation))
    unsure = count_p(margins, round(float(said.sum()) + 2.5 * deviation), known=Found(0.0, 1.0 / deviation))

    assert p == pytest.approx(2.0 * norm.sf(2.5), rel=0.02)
    assert unsure == pytest.approx(2.0 * norm.sf(2.5 / np.sqrt(2.0)), rel=0.02)


@given(hits=st.integers(0, 200), value=st.floats(-1.0, 1.0), error=st.floats(0.01, 1.0))
def test_what_is_less_sure_accuses_less(hits: int, value: float, error: float) -> None:
    """A larger error of the known shift never makes a count further out; with hardly any it is the exact test."""
    margins = np.linspace(-4.0, 1.0, 200)

    exact = count_p(margins, hits, known=Found(value, 0.0))
    surer, unsure = (count_p(margins, hits, known=Found(value, each)) for each in (error, 1.5 * error))

    assert exact == count_p(margins + value, hits)
    assert exact <= surer * 1.1 + 1e-12
    assert surer <= unsure * 1.1 + 1e-12
    assert count_p(margins, hits, known=Found(value, 1e-6)) == pytest.approx(exact, rel=1e-2, abs=1e-12)
