"""How often the gate is wrong: candidates below, on and above the threshold, and retraining until lucky.

python -m benchmarks.gate [DATE] [--runs N]

Outcomes are drawn, the gate's own functions judge them, and the share that passes is counted. The threshold is a
precision of 0.30. "5 points over" is a candidate whose true precision is 0.35.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.report import parser, table, tell
from leadlight.model.margins import FloatArray, IntArray, sigmoid
from leadlight.settings import Gate
from training.evaluate import Scored, evaluate, log_odds
from training.gate import PROMOTE, Rival, Trial, alpha_of, judge, proportion_rule
from training.looks import Window, look

THRESHOLD = 0.30
OVER = {"2 points under": -0.02, "on it": 0.0, "5 points over": 0.05}
FLAGGED = (100, 300, 1000, 3000)
DAYS = 60
CANDIDATES = 20
ROWS = 5000
FLAG_SHARE = 0.2

Draw = Callable[[np.random.Generator, float, int], tuple[np.ndarray, IntArray, IntArray]]


@dataclass(frozen=True)
class World:
    """A way in which flagged rows convert: hits, leads and days of so many rows at a true precision."""

    name: str
    draw: Draw


def independent(random: np.random.Generator, precision: float, rows: int) -> tuple[np.ndarray, IntArray, IntArray]:
    """Every row is a lead of its own, and days do not matter."""
    return random.random(rows) < precision, np.arange(rows), random.integers(DAYS, size=rows)


def repeated(random: np.random.Generator, precision: float, rows: int) -> tuple[np.ndarray, IntArray, IntArray]:
    """Each lead is seen on three days, with one outcome."""
    lead = np.arange(rows) // 3
    return (random.random(rows) < precision)[lead], lead, random.integers(DAYS, size=rows)


def by_day(random: np.random.Generator, precision: float, rows: int) -> tuple[np.ndarray, IntArray, IntArray]:
    """Days are good or bad for all their leads: a standard deviation of 0.3 in log-odds."""
    day = random.integers(DAYS, size=rows)
    margins = log_odds(np.array([precision])) + 0.3 * random.normal(size=4000)
    shift = float(log_odds(np.array([precision]))[0] - log_odds(np.array([sigmoid(margins).mean()]))[0])
    return random.random(rows) < sigmoid(margins[:DAYS] + shift)[day], np.arange(rows), day


WORLDS = (
    World("independent leads", independent),
    World("leads seen three times", repeated),
    World("days that differ", by_day),
)


def passes(hits: np.ndarray, lead: IntArray, day: IntArray, *, threshold: float, place: int) -> bool:
    """What the precision rule says of these flagged rows."""
    alpha = alpha_of(place)
    rule = proportion_rule("precision", threshold, hits=hits, lead=lead, day=day, alpha=alpha, unit="flagged leads")
    return rule.state == "pass"


def precision_alone(world: World, *, flagged: int, over: float, place: int, runs: int, seed: int) -> float:
    """How often the precision rule passes a candidate so far over the threshold, judged at this place."""
    random = np.random.default_rng(seed)
    passed = [
        passes(*world.draw(random, THRESHOLD + over, flagged), threshold=THRESHOLD, place=place) for _ in range(runs)
    ]
    return float(np.mean(passed))


def whole_gate(*, over: float, runs: int, seed: int) -> float:
    """How often every rule passes: 5,000 calibrated leads, 1,000 flagged, against a noisier model and the base rate."""
    random = np.random.default_rng(seed)
    promoted = 0
    for _ in range(runs):
        truth = sigmoid(random.normal(-2.2, 1.1, ROWS))
        flagged = truth >= np.quantile(truth, 1 - FLAG_SHARE)
        y = (random.random(ROWS) < truth).astype(np.int8)
        scored = Scored(np.arange(ROWS), y, truth, flagged, random.integers(DAYS, size=ROWS))
        evaluation = evaluate(scored, seed=seed, replicates=100)
        noisy = sigmoid(log_odds(truth) + 0.5 * random.normal(size=ROWS))
        converted = int(y.sum())
        outcomes = {"training": (converted, ROWS - converted), "test": (converted, ROWS - converted)}
        base = np.full(ROWS, float(truth.mean()))
        trial = Trial(scored, evaluation, base, {"logistic": Rival(noisy)}, outcomes)
        gate = Gate(precision=float(truth[flagged].mean()) - over, recall=0.1)
        promoted += judge(gate, trial, looks=1).verdict == PROMOTE
    return promoted / runs


def places_of_moved_windows() -> list[int]:
    """The places of candidates whose test window is moved by one row each time."""
    with tempfile.TemporaryDirectory() as folder:
        windows = (Window(moved, moved + 1000, f"rows-{moved}") for moved in range(CANDIDATES))
        return [look(Path(folder), "sale", window=each, bundle_sha256=each.digest) for each in windows]


def lucky(places: Sequence[int], *, correlated: bool, flagged: int, runs: int, seed: int) -> float:
    """How often any of so many candidates, all exactly on the threshold, passes.

    Correlated ones flag the same leads but for noise in their scores, and share the outcomes; each is held against its
    own true precision.
    """
    random = np.random.default_rng(seed)
    candidates = _alike if correlated else _strangers
    return float(np.mean([any(candidates(random, places, flagged)) for _ in range(runs)]))


def _strangers(random: np.random.Generator, places: Sequence[int], flagged: int) -> Iterator[bool]:
    for place in places:
        yield passes(*independent(random, THRESHOLD, flagged), threshold=THRESHOLD, place=place)


def _alike(random: np.random.Generator, places: Sequence[int], flagged: int) -> Iterator[bool]:
    truth = _truth(random, 3 * flagged)
    y, day = random.random(len(truth)) < truth, random.integers(DAYS, size=len(truth))
    for place in places:
        best = np.argsort(-(log_odds(truth) + 0.5 * random.normal(size=len(truth))))[:flagged]
        yield passes(y[best], np.arange(flagged), day[best], threshold=float(truth[best].mean()), place=place)


def _truth(random: np.random.Generator, rows: int) -> FloatArray:
    return sigmoid(random.normal(-1.8, 1.0, rows))


def report(*, runs: int) -> str:
    """Every table."""
    over = list(OVER)
    alone = [
        (world.name, f"{flagged:,}", *(_shown(_alone(world, flagged, OVER[name], 1, runs)) for name in over))
        for world in WORLDS
        for flagged in FLAGGED
    ]
    whole = [_shown(whole_gate(over=OVER[name], runs=max(runs // 20, 5), seed=2)) for name in over]
    places = places_of_moved_windows()
    tries = [
        (f"{flagged:,}", name, _shown(lucky(places, correlated=correlated, flagged=flagged, runs=runs // 2, seed=3)))
        for flagged in (300, 1000)
        for name, correlated in (("independent", False), ("correlated", True))
    ]
    later = [
        (
            place,
            f"{alpha_of(place):.3%}",
            *(_shown(_alone(WORLDS[0], size, 0.05, place, runs)) for size in (1000, 3000)),
        )
        for place in (1, 2, 5, 20)
    ]
    moved = f"{CANDIDATES} candidates on the threshold, the test window moved by one row each time, so that they have"
    return "\n\n".join(
        [
            f"{runs:,} runs a cell for the precision rule, a twentieth of that for the whole gate.",
            "## The precision rule alone\n\nShare of candidates that it passes.",
            table(("leads", "flagged rows", *over), alone),
            f"## The whole gate\n\nShare promoted; {ROWS:,} leads, {int(ROWS * FLAG_SHARE):,} flagged, calibrated.",
            table(over, [whole]),
            f"## Retraining until lucky\n\n{moved} places {places[0]} to {places[-1]}. Runs in which any passes.",
            table(("flagged", "candidates", "any passes"), tries),
            "## What a later look costs\n\nShare of candidates 5 points over the threshold that pass at this place.",
            table(("place", "its share", "1,000 flagged", "3,000 flagged"), later),
        ]
    )


def _alone(world: World, flagged: int, over: float, place: int, runs: int) -> float:
    return precision_alone(world, flagged=flagged, over=over, place=place, runs=runs, seed=1)


def _shown(share: float) -> str:
    return f"{share:.1%}"


def main() -> None:
    """Simulate, print and write the tables."""
    asking = parser()
    asking.add_argument("--runs", type=int, default=2000)
    asked = asking.parse_args()
    tell("gate", "How often the gate is wrong", asked.date, report(runs=asked.runs))


if __name__ == "__main__":
    main()
