"""The card's fit: which levels its rules need, and what a point of it is worth, learned from however few rows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from leadlight.model.encoder import Encoder
from leadlight.model.margins import FloatArray, logit, sigmoid
from leadlight.model.points import PointsPart
from leadlight.settings.points import PointsTable
from training.fit.encode import learn_encoder
from training.fit.folds import Labels, Sample

WORTH = 0.7
"""What a standard deviation of a card's points is taken to be worth before anything is known, in log-odds.

An AUC of about 0.69 (two normal distributions of equal width that lie 0.7 apart): what a card of sensible rules has.
"""
DOUBT = 0.35
"""The standard deviation of that: half of it, so a card is hardly ever taken to be against the outcome."""
LONGEST_STEP = 1.0
STEPS = 100
EXACT = 1e-10


def fit_card(rows: Sample, encoder: Encoder, table: PointsTable) -> PointsPart:
    """The table as a part of a model, its points weighed on these rows."""
    return weigh_points(PointsPart.of(table, encoder.columns, encoder.levels), rows)


def named_levels(table: PointsTable | None) -> dict[str, tuple[str, ...]]:
    """The levels that a table's conditions name, by column: an encoder must know them, however few rows have them."""
    levels: dict[str, dict[str, None]] = {}
    for rule in table.rule if table is not None else ():
        for condition in rule.when:
            if isinstance(condition.value, str):
                levels.setdefault(condition.column, {})[condition.value] = None
    return {name: tuple(found) for name, found in levels.items()}


def weigh_points(card: PointsPart, sample: Sample) -> PointsPart:
    """The card with the worth of a point and of none, learned from these rows and drawn to what is usual.

    Maximum a posteriori: the worth of a standard deviation of points is normal around ``WORTH``, and the level is that
    of a row of either outcome at half weight each more. Never below zero: points count for the outcome, or nothing.
    """
    # the sum of a rule's shares may miss its points by a rounding; rounded, equal cards tell equal rows apart
    given = np.round(card.points(sample.matrix).sum(axis=1), 9)
    points, place = np.unique(given, return_inverse=True)
    rows = np.bincount(place, weights=sample.weights)
    positives = np.bincount(place, weights=sample.weights * sample.labels)
    mean = float(rows @ points) / float(rows.sum())
    spread = math.sqrt(float(rows @ (points - mean) ** 2) / float(rows.sum()))
    if spread == 0.0:
        return replace(card, slope=0.0, base=logit((float(positives.sum()) + 0.5) / (float(rows.sum()) + 1.0)))
    standard = np.append((points - mean) / spread, 0.0)
    worth, level = _most_likely(standard, np.append(rows, 1.0), np.append(positives, 0.5))
    slope = worth / spread
    return replace(card, slope=slope, base=level - slope * mean)


def _most_likely(points: FloatArray, rows: FloatArray, positives: FloatArray) -> tuple[float, float]:
    """The worth and the level at the posterior's top, by Newton's steps."""
    worth, level = WORTH, logit(float(positives.sum()) / float(rows.sum()))
    for _ in range(STEPS):
        p = sigmoid(level + worth * points)
        short, bend = positives - rows * p, rows * p * (1.0 - p)
        slant = float(short @ points) - (worth - WORTH) / DOUBT**2
        a, b, c = float(bend.sum()), float(bend @ points), float(bend @ points**2) + 1.0 / DOUBT**2
        lift = float(short.sum())
        determinant = a * c - b * b
        step, up = (a * slant - b * lift) / determinant, (c * lift - b * slant) / determinant
        longest = max(abs(step), abs(up), LONGEST_STEP)
        worth, level = worth + step * LONGEST_STEP / longest, level + up * LONGEST_STEP / longest
        if max(abs(step), abs(up)) < EXACT:
            break
    return (worth, level) if worth > 0 else (0.0, logit(float(positives.sum()) / float(rows.sum())))


def weigh_table(table: PointsTable, rows: pd.DataFrame, labels: Labels) -> tuple[Encoder, PointsPart]:
    """The table weighed on rows by itself, and the encoder that it reads rows by."""
    encoder = learn_encoder(rows, named_levels(table))
    return encoder, fit_card(Sample(encoder.encode(rows), labels, np.ones(len(labels))), encoder, table)
