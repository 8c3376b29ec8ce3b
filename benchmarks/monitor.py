"""How often the monitor cries wolf, and what it finds: made weeks with and without drift, through its own checks.

python -m benchmarks.monitor [DATE] [--quiet N] [--drifted N]

A champion whose probabilities are true watches weeks of 200 and 1,000 leads: 30 columns that depend on one another,
against a reference of 6,000 rows; the outcomes of as many mature leads; as many that wait for theirs. A quiet week
differs from training by chance alone. Beside the monitor stands the usual rule: any column with a PSI above 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.report import parser, table, tell
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.settings import Gate
from training.fit.encode import learn_encoder
from training.monitor.calibration import calibration, promises
from training.monitor.drift import Compared, input_checks, psi, score_check
from training.monitor.findings import Finding, findings
from training.monitor.performance import expected_performance, performance_checks
from training.reference import binned, distributions, spread

RATE = 0.05
REFERENCE = 6_000
SIZES = (200, 1_000)
GATE = Gate(precision=0.25, recall=0.2)
CUTS = (-0.2, -0.8, -1.5)


@dataclass(frozen=True)
class Drift:
    """What differs from training: one column moved (standard deviations), lost or of a new level, or outcomes."""

    name: str
    moved: float = 0.0
    lost: float = 0.0
    new_level: float = 0.0
    shift: float = 0.0
    slope: float = 1.0
    expected: tuple[str, str] = ("", "")


QUIET = Drift("quiet")
DRIFTS = (
    Drift("one number moved by 0.5 standard deviations", moved=0.5, expected=("values", "number_0")),
    Drift("one column lost for 20 % of leads", lost=0.2, expected=("missing", "number_0")),
    Drift("an unknown level for 15 % of leads", new_level=0.15, expected=("unknown", "level_0")),
    Drift("base rate up by 0.5 log-odds", shift=0.5, expected=("calibration", "base rate")),
    Drift("base rate up by 1 log-odds", shift=1.0, expected=("calibration", "base rate")),
    Drift("probabilities too bold, slope 0.5", slope=0.5, shift=-0.75, expected=("calibration", "slope")),
)


@dataclass(frozen=True, eq=False)
class Week:
    """Leads of a week: their columns, the champion's margins, and what became of them."""

    rows: pd.DataFrame
    margins: FloatArray
    labels: np.ndarray[Any, np.dtype[np.int8]]


def week(leads: int, drift: Drift, random: np.random.Generator) -> Week:
    """Ten counts, twelve numbers (a fifth missing) and eight categories that share one hidden cause."""
    cause = random.normal(size=leads)
    columns: dict[str, Any] = {}
    for place in range(12):
        number = 0.5 * cause + random.normal(size=leads) + (drift.moved if place == 0 else 0.0)
        empty = random.random(leads) < 0.2 + (0.8 * drift.lost if place == 0 else 0.0)
        columns[f"number_{place}"] = np.where(empty, np.nan, number)
    for place in range(10):
        columns[f"count_{place}"] = random.poisson(np.exp(0.4 * cause - 0.5)).astype(np.float64)
    for place in range(8):
        level = random.choice(np.array([f"level {n}" for n in range(2 + 2 * place)], dtype=object), leads)
        if place == 0:
            level[random.random(leads) < drift.new_level] = "never seen"
        columns[f"level_{place}"] = level
    rows = pd.DataFrame(columns)
    used = rows[[f"number_{place}" for place in range(1, 4)]].fillna(0.0).sum(axis=1) + rows["count_0"] - 0.9
    margins = -1.5 + 0.6 * used.to_numpy(dtype=np.float64)
    labels = (random.random(leads) < sigmoid(drift.slope * margins + drift.shift)).astype(np.int8)
    return Week(rows, margins, labels)


def found(reference: dict[str, Any], now: Week, ripe: Week, *, seed: int) -> list[Finding]:
    """What the monitor finds in a week, and in the leads whose outcome became known."""
    window = Compared(now.rows, leads=len(now.rows), rate=RATE, material=0.1, seed=seed)
    checks = input_checks(reference, window, source=str, skip=frozenset())
    checks.append(score_check(reference, sigmoid(now.margins), window))
    checks += calibration(ripe.margins, ripe.labels, seed=seed)[1]
    grades = np.array(["D", "C", "B", "A"], dtype=object)[np.sum([ripe.margins > cut for cut in CUTS], axis=0)]
    checks += promises(sigmoid(ripe.margins), grades, ripe.labels)[1]
    expected = expected_performance(now.margins, now.margins > CUTS[1], error=0.05, seed=seed)
    if expected is not None:
        checks += performance_checks(expected, GATE)
    return findings(checks, false_alarms=RATE)


def usual_rule(reference: dict[str, Any], now: Week) -> bool:
    """Whether any number column has a PSI above 0.1, without asking how many leads there are."""
    for name, of in reference["columns"].items():
        if "deciles" in of:
            counts = np.array(binned(now.rows[name].dropna().to_numpy(dtype=np.float64), of["deciles"]))
            if psi(np.array(of["counts"]), counts[None, :])[0] > 0.1:  # noqa: PLR2004  # the rule as it is known
                return True
    return False


def main() -> None:
    """Simulate, print and write the table."""
    asking = parser()
    asking.add_argument("--quiet", type=int, default=300)
    asking.add_argument("--drifted", type=int, default=40)
    asked = asking.parse_args()
    random = np.random.default_rng(7)
    training = week(REFERENCE, QUIET, random)
    scores = sigmoid(training.margins)
    reference = {
        **distributions(training.rows, learn_encoder(training.rows), scores),
        "leads": REFERENCE,
        "score": spread(scores),
    }
    rows = []
    for leads in SIZES:
        for drift in (QUIET, *DRIFTS):
            weeks = asked.quiet if drift is QUIET else asked.drifted
            alarms = named = usual = 0
            for number in range(weeks):
                now, ripe = week(leads, drift, random), week(leads, drift, random)
                seen = found(reference, now, ripe, seed=number)
                alarms += bool(seen)
                named += drift.expected in {(each.kind, each.subject) for each in seen}
                usual += usual_rule(reference, now)
            shares = [f"{count / weeks:.0%}" for count in (alarms, usual)]
            rows.append(
                [
                    f"{leads:,}",
                    drift.name,
                    weeks,
                    shares[0],
                    "" if drift is QUIET else f"{named / weeks:.0%}",
                    shares[1],
                ]
            )
            head = ("leads", "week", "weeks", "monitor alarms", "names the cause", "any PSI > 0.1")
            words = f"Stated: at most {RATE:.0%} of quiet weeks alarm. 30 columns, {REFERENCE:,} training rows."
            tell("monitor", "False alarms and power of the monitor", asked.date, f"{words}\n\n{table(head, rows)}")


if __name__ == "__main__":
    main()
