"""How sure the gate can be with the test there is, and how much more evidence a promotion would need."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import binom

from leadlight.schema import AS_OF, LABEL, LEAD_ID, Micros
from leadlight.settings import Target
from training.dataset import TEST, local_days, split_rows
from training.gate import ALPHA, FEWEST, alpha_of, clopper_pearson
from training.gate.needed import POWER, for_share

POINTS = 0.05
EACH = math.sqrt(POWER)
"""The chance that either rule passes, so that both do with ``POWER``, even if independent of each other."""
PART = 0.25
"""A model is taken to be so many points above a threshold, or by this part of it if that is less."""


@dataclass(frozen=True)
class Proof:
    """What the test can prove of one share: its threshold, counted among so many leads, and the interval to expect.

    ``lower`` and ``upper`` are the gate's bounds for a model right at the threshold; ``passes_from`` is the least share
    found that proves it. ``needed`` leads prove a model that is really ``assumed``; ``more`` of them are lacking.
    """

    rule: Literal["precision", "recall"]
    threshold: float
    among: int
    unit: str
    lower: float
    upper: float
    width: float
    passes_from: float | None
    assumed: float
    needed: int
    more: int


@dataclass(frozen=True)
class Promotion:
    """The test there is, in rows and leads, and what it can prove; ``more_converted`` leads it would need besides."""

    test_rows: int
    test_leads: int
    test_converted: int
    flag_share: float
    flagged: int
    proofs: tuple[Proof, ...]
    more_flagged: int
    more_converted: int
    assumption: str

    def lines(self) -> Iterator[str]:
        """The same in words."""
        yield (
            f"  test: {self.test_rows:,} rows of {self.test_leads:,} leads, {self.test_converted:,} convert;"
            f" {self.flag_share:.0%} flagged is about {self.flagged:,} leads"
        )
        for proof in self.proofs:
            passes = "no share" if proof.passes_from is None else f"{proof.passes_from:.1%} or more"
            yield (
                f"  {proof.rule} at its threshold {proof.threshold:.1%}, among {proof.among:,} {proof.unit}: interval"
                f" {proof.lower:.1%} to {proof.upper:.1%}, {100 * proof.width:.1f} points wide; {passes} passes"
            )
        if self.more_flagged or self.more_converted:
            lacking = f"{self.more_flagged:,} more flagged and {self.more_converted:,} more converted leads in the test"
            yield f"  a promotion would need about {lacking}, {self.assumption}"
        else:
            yield f"  the test is large enough for a promotion, {self.assumption}"


def promotion(target: Target, mature: pd.DataFrame, *, offset: Micros) -> Promotion | None:
    """What the test among these mature rows (``lead_id``, ``as_of``, ``label``) can prove; ``None`` without a test.

    Rows of one lead count as one, which is the safe side; days that differ would take more.
    """
    rows = mature.sort_values([AS_OF, LEAD_ID])
    test = rows[split_rows(rows[AS_OF].to_numpy(), target=target, offset=offset) == TEST]
    if test.empty:
        return None
    leads, converted = int(test[LEAD_ID].nunique()), int(test.loc[test[LABEL] == 1, LEAD_ID].nunique())
    share = _flag_share(target, test, offset=offset)
    flagged = round(share * leads)
    proofs = (
        _proof("precision", target.gate.precision, flagged, "flagged leads"),
        _proof("recall", target.gate.recall, converted, "converted leads"),
    )
    # more flagged leads come with more leads, of which some convert
    grown = math.ceil(proofs[0].more / share * converted / leads)
    assumed = f"if it really reaches {proofs[0].assumed:.1%} precision and {proofs[1].assumed:.1%} recall"
    return Promotion(
        test_rows=len(test),
        test_leads=leads,
        test_converted=converted,
        flag_share=share,
        flagged=flagged,
        proofs=proofs,
        more_flagged=proofs[0].more,
        more_converted=max(proofs[1].more, grown),
        assumption=f"{assumed} ({POWER:.0%} of such models would pass both, as the first judged on this test)",
    )


def _flag_share(target: Target, test: pd.DataFrame, *, offset: Micros) -> float:
    """The share of rows that will be flagged; a fixed threshold does not say, so there the default share stands in."""
    if target.operate.capacity is None:
        return target.operate.flag_share
    days = len(np.unique(local_days(test[AS_OF].to_numpy(), offset)))
    return min(target.operate.capacity * days / len(test), 1.0)


def _proof(rule: Literal["precision", "recall"], threshold: float, among: int, unit: str) -> Proof:
    alpha = alpha_of(1)
    lower, upper = _bounds(threshold, among)
    assumed = min(threshold + min(POINTS, PART * threshold), 1.0)
    needed = max(_enough(assumed, threshold, alpha=alpha), FEWEST)
    least = _least(threshold, among, alpha=alpha)
    return Proof(
        rule=rule,
        threshold=threshold,
        among=among,
        unit=unit,
        lower=lower,
        upper=upper,
        width=upper - lower,
        passes_from=None if least > among or among == 0 else least / among,
        assumed=assumed,
        needed=needed,
        more=max(needed - among, 0),
    )


def _enough(assumed: float, threshold: float, *, alpha: float) -> int:
    """So many that a share of ``assumed`` proves the threshold with ``EACH`` of chance, counted exactly."""
    number = for_share(assumed, threshold, rows=0, effect=1.0, alpha=alpha, power=EACH) or 0
    while binom.sf(_least(threshold, number, alpha=alpha) - 1, number, assumed) < EACH and assumed > threshold:
        number += max(number // 200, 1)
    return number


def _least(threshold: float, among: int, *, alpha: float) -> int:
    """The fewest hits that prove the threshold; one more than there can be, if none do."""
    return bisect_left(range(among + 1), threshold, key=lambda hits: clopper_pearson(hits, among, alpha=alpha)[0])


def _bounds(share: float, among: int) -> tuple[float, float]:
    if among == 0:
        return 0.0, 1.0
    lower, _ = clopper_pearson(share * among, among, alpha=alpha_of(1))
    _, upper = clopper_pearson(share * among, among, alpha=ALPHA)
    return lower, upper
