"""What the recipe does where few leads have converted: against plain models, on later rows, at 20 to 200 positives.

python -m benchmarks.few_positives [DATE] [--data DIR] [--draws N] [--only NAME] [--keep DIR]

Each problem keeps its later rows as the test. Its training rows are thinned at random to so many positives at the same
share, in time order: a smaller company with the same leads. The real sets are left out where they are absent. The rules
for few positives were chosen on the two made problems and the sites; all other problems are independent of them.
``--keep`` keeps what was measured, so that a run that was ended goes on from there.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from benchmarks.problems import ROOT
from benchmarks.report import parser, table, tell
from benchmarks.sources import Problem, Rows, Source, made_problems, packaged_problems, site_problems
from leadlight.model.margins import FloatArray, sigmoid
from training.evaluate import log_losses
from training.fit import PLAIN, fit
from training.fit.folds import Fold, encoded, time_folds
from training.fit.linear import choose_linear, constant_part, fit_linear
from training.plain import PlainName, fit_plain

POSITIVES = (20, 50, 100, 200)
RIVALS: tuple[PlainName, ...] = ("logistic", "lightgbm", "hist")
MODELS = ("leadlight", "clipped logistic", *RIVALS)
SEED = 7


@dataclass(frozen=True, eq=False)
class Found:
    """Log loss and AUC of every model on a problem's later rows: a mean over draws (models x 2)."""

    name: str
    known: bool
    positives: int
    scores: FloatArray


def main() -> None:
    """Measure, print and write the table."""
    asking = parser()
    asking.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    asking.add_argument("--draws", type=int, default=3)
    asking.add_argument("--only", default=None)
    asking.add_argument("--keep", type=Path, default=None)
    asked = asking.parse_args()
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory() as folder:
        sources = [*made_problems(), *site_problems(Path(folder), asked.data), *packaged_problems(Path(folder))]
        chosen = [each for each in sources if asked.only in {None, each.name}]
        found = [of for each in chosen for of in measured(each, Path(folder) / "few_positives", draws=asked.draws)]
    tell("few_positives", "Few positives", asked.date, told(found, draws=asked.draws), keep=asked.only is None)


def measured(source: Source, folder: Path, *, draws: int) -> list[Found]:
    """What was found of the problem at each number of positives that it can give; kept draws are not drawn again."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{source.name.replace(' ', '_')}.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    asked = [f"{positives} {seed}" for positives in POSITIVES for seed in range(draws)]
    if not set(asked) <= set(kept):
        problem = source.make()
        for name in (each for each in asked if each not in kept):
            positives, seed = map(int, name.split())
            few = problem.learned.y.sum() < positives
            kept[name] = [] if few else judged(problem, thinned(problem.learned, positives, seed=seed))
            file.write_text(json.dumps(kept), encoding="utf-8")
    drawn = {positives: [kept[f"{positives} {seed}"] for seed in range(draws)] for positives in POSITIVES}
    return [
        Found(source.name, source.known, positives, np.mean(scores, axis=0))
        for positives, scores in drawn.items()
        if all(scores)
    ]


def told(found: Sequence[Found], *, draws: int) -> str:
    """The whole page: what it comes to, then a table for each number of positives."""
    sections = "\n\n".join(section([of for of in found if of.positives == positives]) for positives in POSITIVES)
    drawn = "One draw" if draws == 1 else f"Means of {draws} draws"
    known = [of for of in found if of.known]
    fresh = [of for of in found if not of.known]
    return f"""
{drawn} of training rows, judged on the later rows. *leadlight* is the whole fit with all its defaults,
*clipped logistic* its plain linear candidate alone (numbers clipped and standardised, no hinges, strength by folds),
the others as their libraries have them.

The recipe's rules for few positives were chosen on the {_names(known)} problems: {_listed(known)}. The
{_names(fresh)} others are independent of that choice: {_listed(fresh)}.

## On the whole

A model's rank in log loss among the five (1 is best), its mean over the problems and the standard error of that mean;
and how much more log loss than the best of the five it has, in the mean.

{table(SUMMARY, [row for name, part in (("all", found), ("independent", fresh)) for row in _summary(name, part)])}

{sections}
"""


SUMMARY = ("positives", "problems", *(f"{model} rank" for model in MODELS), *(f"{model} excess" for model in MODELS))


def _summary(name: str, found: Sequence[Found]) -> Iterator[list[str]]:
    for positives in POSITIVES:
        losses = np.array([of.scores[:, 0] for of in found if of.positives == positives])
        if len(losses):
            ranks = rankdata(losses, axis=1)
            errors = ranks.std(axis=0, ddof=1) / len(ranks) ** 0.5 if len(ranks) > 1 else np.full(len(MODELS), np.nan)
            excess = (losses / losses.min(axis=1, keepdims=True) - 1.0).mean(axis=0)
            shown = [f"{rank:.1f} ± {error:.1f}" for rank, error in zip(ranks.mean(axis=0), errors, strict=True)]
            yield [str(positives), f"{name}: {len(losses)}", *shown, *(f"{share:.1%}" for share in excess)]


def _names(found: Sequence[Found]) -> str:
    return str(len({of.name for of in found}))


def _listed(found: Sequence[Found]) -> str:
    return "; ".join(dict.fromkeys(of.name for of in found)) or "none"


def section(found: Sequence[Found]) -> str:
    """The table of the problems at one number of positives."""
    if not found:
        return ""
    rows = [
        [of.name, *marked(of.scores[:, 0], of.scores[:, 0].min()), *marked(of.scores[:, 1], of.scores[:, 1].max())]
        for of in found
    ]
    heads = [f"{model} {metric}" for metric in ("loss", "AUC") for model in MODELS]
    return f"## {found[0].positives} positives\n\nThe best is bold.\n\n{table(['problem', *heads], rows)}"


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


if __name__ == "__main__":
    main()
