"""Whether inputs and scores are distributed as in training: permutation and exact tests for the rows there are.

Leads count, not rows: rows of one lead tell much the same, so counts of rows are scaled down to the number of leads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import fisher_exact

from leadlight.model.margins import FloatArray
from training.monitor.findings import Check, Kind
from training.reference import binned

Counts = npt.NDArray[np.int64]

FEWEST = 50
"""Leads that a comparison needs."""
MATERIAL_SHARE = 0.05
"""From which on a change of a share of missing or unknown values matters."""
FIRST_DRAWS = 999
ENOUGH = 20
"""So many draws at least as far off as what was seen, and the p-value is known well enough to be dull."""
DRAWS_PER_TEST = 20


@dataclass(frozen=True)
class Change:
    """How a distribution differs: its population stability index, what chance alone would show, and the p-value."""

    psi: float
    by_chance: float
    p: float


@dataclass(frozen=True, eq=False)
class Compared:
    """Rows of so many ``leads``; ``rate`` is that of false alarms, ``material`` the index from which on it matters."""

    rows: pd.DataFrame
    leads: int
    rate: float
    material: float
    seed: int


def input_checks(
    reference: Mapping[str, Any], window: Compared, *, source: Callable[[str], str], skip: frozenset[str]
) -> list[Check]:
    """For each column of the reference but those to ``skip``: missing values, unknown levels, and the values there are.

    ``source`` says where a column's values come from.
    """
    columns = {name: of for name, of in reference["columns"].items() if name not in skip}
    draws = max(9_999, round(DRAWS_PER_TEST * 3 * len(columns) / window.rate))
    random = np.random.default_rng(window.seed)
    share = reference["leads"] / reference["rows"]
    checks: list[Check] = []
    for name in sorted(columns):
        then = _Column.of_reference(columns[name], rows=reference["rows"]).scaled(share)
        now = _Column.of_rows(window.rows[name], columns[name]).scaled(window.leads / max(len(window.rows), 1))
        advice = f"look at source {source(name)}"
        checks += _share_checks(name, then, now, advice)
        if then.counts.sum() and now.counts.sum():
            change = changed(then.counts, now.counts, random=random, draws=draws)
            checks.append(_values_check("values", name, change, material=window.material, advice=advice))
    return checks


def score_check(reference: Mapping[str, Any], probabilities: FloatArray, window: Compared) -> Check:
    """The champion's probabilities against those of the rows that it learned from.

    The calibration rows' own were another model's, fitted on fewer rows, and differ for that alone.
    """
    share = reference["leads"] / reference["rows"]
    then = _scaled(np.array(reference["score"]["counts"]), share)
    now = _scaled(
        np.array(binned(probabilities, reference["score"]["deciles"])), window.leads / max(len(probabilities), 1)
    )
    change = changed(then, now, random=np.random.default_rng(window.seed), draws=9_999)
    return _values_check("score", "probability", change, material=window.material, advice="retrain")


def changed(then: Counts, now: Counts, *, random: np.random.Generator, draws: int) -> Change:
    """How ``now`` differs from ``then``, counted in the same bins, against all ways to deal the pooled rows out anew.

    A permutation test: exact whatever the sizes. Draws stop early where the answer is clearly "by chance".
    """
    seen = float(psi(then, now[None, :])[0])
    pooled = then + now
    size = int(now.sum())
    drawn = random.multivariate_hypergeometric(pooled, size, FIRST_DRAWS, method="marginals")
    by_chance = psi(pooled - drawn, drawn)
    if (by_chance >= seen).sum() < ENOUGH:
        drawn = random.multivariate_hypergeometric(pooled, size, draws - FIRST_DRAWS, method="marginals")
        by_chance = np.concatenate([by_chance, psi(pooled - drawn, drawn)])
    # equal up to rounding counts as at least as far off
    further = int((by_chance >= seen - 1e-12).sum())
    return Change(seen, float(by_chance.mean()), (1 + further) / (1 + len(by_chance)))


def psi(then: Counts, now: Counts) -> FloatArray:
    """The population stability index of each row of ``now``; half a row is added to each bin, so that none is empty."""
    expected = (then + 0.5) / (then.sum(axis=-1, keepdims=True) + 0.5 * then.shape[-1])
    found = (now + 0.5) / (now.sum(axis=-1, keepdims=True) + 0.5 * now.shape[-1])
    return np.asarray(((found - expected) * np.log(found / expected)).sum(axis=-1), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Column:
    """Counts of a column: rows without a value, rows of an unknown level (``None``: a number), and values by bin."""

    missing: int
    unknown: int | None
    counts: Counts

    @classmethod
    def of_reference(cls, of: Mapping[str, Any], *, rows: int) -> _Column:
        missing = round(of["missing"] * rows)
        if "levels" in of:
            return cls(missing, of["rare"], np.array([*of["levels"].values(), of["rare"]], dtype=np.int64))
        return cls(missing, None, np.array(of["counts"], dtype=np.int64))

    @classmethod
    def of_rows(cls, values: pd.Series[Any], of: Mapping[str, Any]) -> _Column:
        present = values.dropna()
        missing = len(values) - len(present)
        if "levels" in of:
            counts = present.value_counts()
            known = [int(counts.get(level, 0)) for level in of["levels"]]
            rare = len(present) - sum(known)
            return cls(missing, rare, np.array([*known, rare], dtype=np.int64))
        numbers = present.to_numpy(dtype=np.float64)
        return cls(missing, None, np.array(binned(numbers, of["deciles"]), dtype=np.int64))

    def scaled(self, share: float) -> _Column:
        unknown = None if self.unknown is None else round(self.unknown * share)
        return _Column(round(self.missing * share), unknown, _scaled(self.counts, share))


def _scaled(counts: Counts, share: float) -> Counts:
    scaled: Counts = np.rint(counts * min(share, 1.0)).astype(np.int64)
    return scaled


def _share_checks(name: str, then: _Column, now: _Column, advice: str) -> Iterator[Check]:
    rows = (then.missing + int(then.counts.sum()), now.missing + int(now.counts.sum()))
    yield from _share_check("missing", name, (then.missing, now.missing), rows, advice)
    if then.unknown is not None and now.unknown is not None:
        present = (int(then.counts.sum()), int(now.counts.sum()))
        yield from _share_check("unknown", name, (then.unknown, now.unknown), present, advice)


def _share_check(kind: Kind, name: str, hits: tuple[int, int], rows: tuple[int, int], advice: str) -> Iterator[Check]:
    if not (rows[0] and rows[1]) or hits in {(0, 0), rows}:
        return
    table = np.array([[hit, of - hit] for hit, of in zip(hits, rows, strict=True)])
    p = float(fisher_exact(table).pvalue)
    then, now = hits[0] / rows[0], hits[1] / rows[1]
    what = "without a value" if kind == "missing" else "of levels rare or unknown in training"
    words = f"{name}: {now:.1%} {what}, {then:.1%} in training"
    yield Check(kind, name, p, now - then, abs(now - then) >= MATERIAL_SHARE, words, advice)


def _values_check(kind: Kind, subject: str, change: Change, *, material: float, advice: str) -> Check:
    beyond = change.psi - change.by_chance
    words = f"{subject}: the distribution moved, PSI {change.psi:.3f}, {change.by_chance:.3f} by chance alone"
    return Check(kind, subject, change.p, beyond, beyond >= material, words, advice)
