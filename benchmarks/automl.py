"""Leadlight's fit against FLAML, an AutoML library, on the same feature rows and the same later rows.

python -m benchmarks.automl [DATE] [--data DIR] [--only NAME] [--keep DIR] [--seconds N]

FLAML is no dependency of the project: ``pip install "flaml[automl]"`` into the environment that runs this; without it
the script says so and ends. Each problem of ``sets/sets.toml`` is backtested first (``--keep`` as for
``benchmarks.backtests``). FLAML then gets Leadlight's own feature rows, so that the fits alone are compared, and is
asked as somebody would who knows it: its defaults, log loss, time-ordered folds, a minute. The minute is one of a core:
its clock counts the CPU seconds of this process, so that other work on the machine takes nothing from it.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.metrics import roc_auc_score

from benchmarks.misses import Split, split_of
from benchmarks.problems import Backtested, Problem, backtested, problems, real_sites
from benchmarks.report import parser, table, tell
from leadlight.model.margins import FloatArray
from leadlight.schema import DAY, LEAD_ID
from leadlight.settings import load_site
from training.evaluate import Scored, log_losses, loss_difference
from training.pipeline import SEED

SECONDS = 60
ABSENT = 'FLAML is not installed here: pip install "flaml[automl]" into this environment, then run this again'
COLUMNS = (
    "problem",
    "later rows",
    "positive",
    "FLAML's log loss",
    "Leadlight's",
    "difference",
    "standard error",
    "FLAML's AUC",
    "Leadlight's",
    "FLAML chose",
    "CPU seconds",
)


@dataclass(frozen=True)
class Line:
    """One problem's comparison; ``seconds`` are those of a core that FLAML had, its last fit included."""

    name: str
    rows: int
    positives: int
    theirs: float
    ours: float
    error: float
    their_auc: float
    our_auc: float
    chosen: str
    seconds: float


def main() -> None:
    """Search, score, print and write the table; without FLAML say what to install."""
    asking = parser()
    asking.add_argument("--data", type=Path, default=None)
    asking.add_argument("--only", default=None)
    asking.add_argument("--keep", type=Path, default=None)
    asking.add_argument("--seconds", type=int, default=SECONDS)
    asked = asking.parse_args()
    if importlib.util.find_spec("flaml") is None:
        print(ABSENT)
        return
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory() as folder:
        chosen = [each for each in problems(Path(folder), asked.data) if asked.only in {None, each.name}]
        lines = [compared(each, Path(folder), seconds=asked.seconds) for each in chosen]
    left_out = [] if asked.data else real_sites()
    text = told(lines, left_out, seconds=asked.seconds, flaml=version("flaml"))
    tell("automl", "AutoML", asked.date, text, keep=asked.only is None)


def compared(problem: Problem, folder: Path, *, seconds: int) -> Line:
    """The problem's line; one that ``folder`` keeps is not searched again."""
    file = folder / "automl" / f"{problem.name}.{seconds}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(json.dumps(asdict(_searched(problem, backtested(problem, folder), seconds))), encoding="utf-8")
    return Line(**json.loads(file.read_bytes()))


def _searched(problem: Problem, found: Backtested, seconds: int) -> Line:
    split = split_of(problem, found.rows)
    theirs, chosen, used = flaml_says(split, seconds=seconds)
    y, ours = split.y[split.learned :], found.predictions["leadlight"].to_numpy()
    leads = np.array(found.predictions[LEAD_ID].to_pylist(), dtype=object)
    day = (split.as_of[split.learned :] + load_site(problem.site).offset) // DAY
    gap = loss_difference(Scored.of(leads, y, ours, threshold=1.0, day=day), theirs)
    return Line(
        name=problem.name,
        rows=len(y),
        positives=int(y.sum()),
        theirs=float(log_losses(y, theirs).mean()),
        ours=float(log_losses(y, ours).mean()),
        error=gap.error,
        their_auc=float(roc_auc_score(y, theirs)),
        our_auc=float(roc_auc_score(y, ours)),
        chosen=chosen,
        seconds=used,
    )


def flaml_says(split: Split, *, seconds: int) -> tuple[FloatArray, str, float]:
    """FLAML's probabilities of the later rows, the learner that it chose, and the CPU seconds of its search."""
    began = time.process_time()
    search = importlib.import_module("flaml").AutoML()
    with patch.object(time, "time", time.process_time):
        search.fit(
            _frame(split.X[: split.learned]),
            split.y[: split.learned],
            task="classification",
            metric="log_loss",
            time_budget=seconds,
            split_type="time",
            n_jobs=1,
            seed=SEED,
            verbose=0,
            mlflow_logging=False,
        )
    used = time.process_time() - began
    said = search.predict_proba(_frame(split.X[split.learned :]))[:, 1]
    return np.asarray(said, dtype=np.float64), str(search.best_estimator), used


def _frame(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as FLAML likes them: texts as categories."""
    return rows.astype({name: "float64" if is_numeric_dtype(rows[name]) else "category" for name in rows})


def told(lines: Sequence[Line], left_out: Sequence[str], *, seconds: int, flaml: str) -> str:
    """The table, and what it comes to."""
    rows = [
        (
            of.name,
            f"{of.rows:,}",
            of.positives,
            *(f"{of.theirs:.5f}", f"{of.ours:.5f}", f"{of.ours - of.theirs:+.5f}", f"{of.error:.5f}"),
            *(f"{of.their_auc:.3f}", f"{of.our_auc:.3f}"),
            of.chosen,
            f"{of.seconds:.0f}",
        )
        for of in lines
    ]
    gaps = [of.ours - of.theirs for of in lines]
    lower = sum(gap < 0 for gap in gaps)
    surely = sum(gap < -of.error for gap, of in zip(gaps, lines, strict=True))
    lost = sum(gap > of.error for gap, of in zip(gaps, lines, strict=True))
    shares = [of.ours / of.theirs - 1.0 for of in lines]
    ranked = sum(of.our_auc > of.their_auc for of in lines)
    missing = f"\n\nLeft out, for their data were not given: {', '.join(left_out)}." if left_out else ""
    return f"""{table(COLUMNS, rows)}

Of {len(lines)} problems, Leadlight's log loss is lower on {lower}: by more than one standard error on {surely}, higher
by more than one on {lost}. The median is {np.median(shares):+.1%}, from {min(shares):+.1%} to {max(shares):+.1%}. Its
AUC is higher on {ranked}.{missing}

FLAML {flaml}, {seconds} seconds of one core a problem, its own defaults but for `metric="log_loss"` and
`split_type="time"`, learns from the rows that `leadlight backtest` learned from, with the same features, and scores the
same later rows. Leadlight's model is the backtest's. The CPU seconds are those of FLAML's search and its last fit.
Standard errors are of the paired difference, clustered by lead and day.
"""


if __name__ == "__main__":
    main()
