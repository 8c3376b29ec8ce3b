"""Shares of rows against their thresholds, with exact bounds that allow for leads seen twice and days that differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import beta

from leadlight.model.margins import IntArray
from leadlight.settings import Gate
from training.evaluate import Flags, Scored
from training.evaluate.clusters import mean_error
from training.gate.needed import for_share
from training.gate.rule import ALPHA, Rule, at_least, count_rule


def proportion_rules(gate: Gate, rows: Scored, *, alpha: float) -> Iterator[Rule]:
    """Enough flagged leads; precision, recall and, if the site asks, accuracy at the frozen threshold."""
    positive, flagged = rows.y == 1, rows.flagged
    everything = np.ones_like(flagged)
    yield count_rule("flagged_in_test", len(np.unique(rows.lead[flagged])))
    asked = [
        ("precision", gate.precision, positive, flagged, "flagged leads"),
        ("recall", gate.recall, flagged, positive, "converted leads"),
        ("accuracy", gate.accuracy, positive == flagged, everything, "leads"),
    ]
    for name, threshold, hits, among, unit in asked:
        if threshold is not None:
            yield proportion_rule(
                name,
                threshold,
                hits=hits[among],
                lead=rows.lead[among],
                day=_of(rows.day, among),
                alpha=alpha,
                unit=unit,
            )


def proportion_rule(
    name: str, threshold: float, *, hits: Flags, lead: IntArray, day: IntArray | None, alpha: float, unit: str
) -> Rule:
    """A share of rows against its threshold: Clopper-Pearson on the counts divided by their design effect.

    The way of Korn and Graubard (1998) for clustered rows.
    """
    rows, found = len(hits), int(hits.sum())
    if rows == 0:
        return Rule(name, None, None, None, threshold, "unsure", "there is no row to count in")
    effect = design_effect(hits, lead, day)
    lower, _ = clopper_pearson(found / effect, rows / effect, alpha=alpha)
    _, upper = clopper_pearson(found / effect, rows / effect, alpha=ALPHA)
    state, share = at_least(lower, upper, threshold), found / rows
    words = f"{found} of {rows} rows, worth {rows / effect:.0f} independent ones"
    if state != "unsure":
        return Rule(name, share, lower, upper, threshold, state, words)
    more = for_share(share, threshold, rows=rows, effect=effect, alpha=alpha if share > threshold else ALPHA)
    leads = None if more is None else max(round(more * len(np.unique(lead)) / rows), 1)
    return Rule(name, share, lower, upper, threshold, state, words, leads, unit)


def design_effect(hits: Flags, lead: IntArray, day: IntArray | None = None) -> float:
    """How many of these rows tell as much as one independent row: the clustered over the binomial variance.

    Never under 1. Where all rows agree, their variance says nothing, and rows of one lead count as one.
    """
    rows, share = len(hits), float(hits.mean())
    if share in {0.0, 1.0}:
        return float(np.sum(np.bincount(lead) ** 2) / rows)
    single = share * (1.0 - share) / (rows - 1)
    return max(1.0, mean_error(hits.astype(np.float64), lead, day) ** 2 / single)


def clopper_pearson(successes: float, trials: float, *, alpha: float) -> tuple[float, float]:
    """One-sided exact bounds of a binomial share, each wrong at most ``alpha`` of the time; counts may be fractions."""
    failures = trials - successes
    lower = beta.ppf(alpha, successes, failures + 1) if successes > 0 else 0.0
    upper = beta.ppf(1 - alpha, successes + 1, failures) if failures > 0 else 1.0
    return float(lower), float(upper)


def _of(day: IntArray | None, rows: Flags) -> IntArray | None:
    return None if day is None else day[rows]
