"""What the recipe does where few leads have converted: against plain models, on later rows, at 20 to 200 positives.

python -m benchmarks.few_positives [DATE] [--data DIR] [--draws N]

Each problem keeps its later rows as the test. Its training rows are thinned at random to so many positives at the same
share, in time order: a smaller company with the same leads. The real sets are left out where they are absent.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from benchmarks.report import parser, table, tell
from features.build import build
from features.catalogue import load_catalogue
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.sample import draw
from leadlight.schema import DAY, Micros
from leadlight.settings import load_site
from training.dataset import CALIBRATION, TEST, TRAIN, load
from training.evaluate import log_losses
from training.fit import PLAIN, fit
from training.fit.folds import Fold, Labels, Moments, encoded, time_folds
from training.fit.linear import choose_linear, constant_part, fit_linear
from training.plain import PlainName, fit_plain

ROOT = Path(__file__).parents[1]
POSITIVES = (20, 50, 100, 200)
SITES = ("demo", "x_education", "learning_platform")
RIVALS: tuple[PlainName, ...] = ("logistic", "lightgbm", "hist")
MODELS = ("leadlight", "clipped logistic", *RIVALS)
SEED = 7
ROWS = 24_000
UNKNOWN = 0.3
MANY, WIDE, SOME = 3, 1.2, 2
FAR_FUTURE = 4_102_444_800_000_000  # 2100: no site's log reaches it, and those here count by their last fact


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows in time order with their outcomes."""

    X: pd.DataFrame
    y: Labels
    as_of: Moments


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows to learn from and later ones to judge by; a label is known ``horizon`` after its row."""

    name: str
    horizon: Micros
    learned: Rows
    test: Rows


def main() -> None:
    """Measure, print and write the table."""
    asking = parser()
    asking.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    asking.add_argument("--draws", type=int, default=3)
    asked = asking.parse_args()
    problems = [*made_problems(), *site_problems(asked.data)]
    text = "\n\n".join(section(positives, problems, draws=asked.draws) for positives in POSITIVES)
    note = (
        f"Log loss and AUC on the later rows, means of {asked.draws} draws of training rows; the best is bold. "
        "*leadlight* is the whole fit with all its defaults, *clipped logistic* its plain linear candidate alone "
        "(numbers clipped and standardised, no hinges, strength by folds), the others as their libraries have them."
    )
    tell("few_positives", "Few positives", asked.date, f"{note}\n\n{text}")


def section(positives: int, problems: list[Problem], *, draws: int) -> str:
    """The table for so many training positives."""
    rows: list[list[str]] = []
    ranks: list[FloatArray] = []
    for problem in problems:
        if problem.learned.y.sum() < positives:
            continue
        found = np.mean([judged(problem, thinned(problem.learned, positives, seed=seed)) for seed in range(draws)], 0)
        rows.append([problem.name, *marked(found[:, 0], found[:, 0].min()), *marked(found[:, 1], found[:, 1].max())])
        ranks.append(rankdata(found[:, 0]))
    heads = [f"{model} {metric}" for metric in ("loss", "AUC") for model in MODELS]
    placed = ", ".join(f"{model} {rank:.1f}" for model, rank in zip(MODELS, np.mean(ranks, axis=0), strict=True))
    return f"## {positives} positives\n\n{table(['problem', *heads], rows)}\n\nMean rank in log loss: {placed}."


def marked(values: FloatArray, best: float) -> list[str]:
    """Values as text, the best bold."""
    return [f"**{value:.4f}**" if value == best else f"{value:.4f}" for value in values]


def thinned(rows: Rows, positives: int, *, seed: int) -> Rows:
    """So many positives and the same share of negatives, drawn at random, in time order."""
    random = np.random.default_rng([seed, positives])
    share = positives / int(rows.y.sum())
    found, missed = np.flatnonzero(rows.y == 1), np.flatnonzero(rows.y == 0)
    drawn = [random.choice(found, positives, replace=False)]
    drawn.append(random.choice(missed, round(len(missed) * share), replace=False))
    kept = np.sort(np.concatenate(drawn))
    return Rows(rows.X.iloc[kept].reset_index(drop=True), rows.y[kept], rows.as_of[kept])


def judged(problem: Problem, rows: Rows) -> list[tuple[float, float]]:
    """Log loss and AUC of every model, fitted on these rows, on the problem's test."""
    groups = dict.fromkeys(map(str, rows.X.columns), "all")
    whole = fit(rows.X, rows.y, rows.as_of, horizon=problem.horizon, groups=groups, seed=SEED, workers=1)
    said = [sigmoid(whole.model.margin(problem.test.X)), clipped_logistic(problem, rows)]
    said += [fit_plain(name, rows.X, rows.y, seed=SEED)(problem.test.X) for name in RIVALS]
    y = problem.test.y
    return [(float(log_losses(y, p).mean()), float(roc_auc_score(y, p))) for p in said]


def clipped_logistic(problem: Problem, rows: Rows) -> FloatArray:
    """The recipe's plain linear candidate alone, its strength chosen on the recipe's folds."""
    weights, everything = np.ones(len(rows.y)), np.arange(len(rows.y))
    whole = encoded(rows.X, rows.y, weights, Fold(everything, everything[:0]))
    with threadpool_limits(limits=1), ThreadPoolExecutor(1) as pool:
        folds = [
            encoded(rows.X, rows.y, weights, fold) for fold in time_folds(rows.y, rows.as_of, horizon=problem.horizon)
        ]
        choice = choose_linear(folds, forms=(PLAIN,), directions={}, pool=pool) if folds else None
        part = (
            constant_part(whole.train, whole.encoder)
            if choice is None
            else fit_linear(whole.train, whole.encoder, choice, directions={})
        )
    return sigmoid(part.margin(part.contributions(whole.encoder.encode(problem.test.X))))


def site_problems(data: Path) -> Iterator[Problem]:
    """Every target of the example sites: the demo's made data, and the real sets that are there."""
    with tempfile.TemporaryDirectory() as folder:
        for name in SITES:
            site = load_site(ROOT / "examples" / name)
            files = data / name
            if site.sample is not None:
                files = Path(folder) / "made"
                draw(files, leads=site.sample.leads, seed=site.sample.seed)
            if not files.is_dir():
                continue
            catalogue, state = load_catalogue(site), Path(folder) / name
            build(site, catalogue, state=state, data=files, as_of=None, wall=FAR_FUTURE)
            for target_name, target in site.targets.items():
                rows = load(site, catalogue, target_name, state=state)
                parts = [rows.part(TRAIN, CALIBRATION), rows.part(TEST)]
                learned, test = (Rows(part.X, part.y, part.as_of) for part in parts)
                yield Problem(f"{name} {target_name}", target.horizon + target.outcome_delay, learned, test)


def made_problems() -> Iterator[Problem]:
    """Two that are drawn: one whose truth is a sum, with drift, and one whose truth is made of steps and pairs."""
    for name, truth in {"made, a sum": _sum_of, "made, steps": _steps_of}.items():
        random = np.random.default_rng(3)
        days = np.arange(ROWS) / ROWS * 200
        X = _made_columns(random, days)
        y = (random.random(ROWS) < sigmoid(truth(X, days))).astype(np.int8)
        as_of = (days * DAY).astype(np.int64)
        half = ROWS // 2
        learned = Rows(X.iloc[:half], y[:half], as_of[:half])
        yield Problem(name, 5 * DAY, learned, Rows(X.iloc[half:], y[half:], as_of[half:]))


def _made_columns(random: np.random.Generator, days: FloatArray) -> pd.DataFrame:
    """Twelve numbers (skewed, drifting, one often missing) and two categories, one of many levels."""
    normal = random.normal(size=(ROWS, 12))
    columns: dict[str, object] = {f"number_{place}": normal[:, place] for place in range(12)}
    columns |= {f"number_{place}": np.round(2 * np.exp(normal[:, place])) for place in (0, 3, 6, 9)}
    columns |= {f"number_{place}": normal[:, place] + days / 400 for place in (5, 7)}
    columns["number_1"] = np.where(random.random(ROWS) < UNKNOWN, np.nan, normal[:, 1])
    columns["channel"] = random.choice(np.array([f"channel {n}" for n in range(8)], dtype=object), ROWS)
    columns["city"] = random.choice(np.array([f"city {n}" for n in range(60)], dtype=object), ROWS)
    return pd.DataFrame(columns)


def _sum_of(X: pd.DataFrame, days: FloatArray) -> FloatArray:
    channel = X["channel"].str[-1].astype(float)
    numbers = 0.25 * X["number_0"].clip(upper=6) + 0.5 * X["number_2"] - 0.4 * X["number_5"]
    return np.asarray(numbers + 0.3 * X["number_1"].fillna(0) + 0.2 * (channel % 4) + days / 400 - 4.2)


def _steps_of(X: pd.DataFrame, days: FloatArray) -> FloatArray:
    pair = (X["number_0"] > MANY) & (X["number_2"] > 0)
    wide = X["number_5"].abs() > WIDE
    here = X["channel"].isin(["channel 1", "channel 2"]) & (X["number_3"] > SOME)
    return np.asarray(1.2 * pair + 1.0 * wide + 0.8 * here + 0.4 * X["number_1"].isna()) - 3.8 + days / 1000


if __name__ == "__main__":
    main()
