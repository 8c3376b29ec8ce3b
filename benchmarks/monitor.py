"""How often the monitor cries wolf, and what it finds: made weeks with and without drift, through its own checks.

python -m benchmarks.monitor [DATE] [--quiet N] [--drifted N] [--champions N]

Weeks of 200 and 1,000 leads: 30 columns that depend on one another, against the training rows' reference; the outcomes
of as many mature leads; as many that wait for theirs. A quiet week differs from training by chance alone.

First champions as they are: each fitted on 1,500 rows of its own and judged on 400 later ones. Beside the monitor
stands what it would say if it took their probabilities for true. Then one whose probabilities are true, with 6,000
training rows. Beside the monitor stands the usual rule: any column with a PSI above 0.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.report import parser, table, tell
from leadlight.model.blended import Model
from leadlight.model.encoder import Encoder
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.schema import HOUR
from leadlight.settings import Gate, Grades, Operate
from training.as_judged import TRUE, AsJudged, Found
from training.calibrate import first_offset, freeze_cuts
from training.evaluate import Names, log_odds
from training.fit import fit, learn_encoder
from training.monitor.calibration import calibration, promises
from training.monitor.drift import Compared, input_checks, psi, score_check
from training.monitor.findings import Check, Finding, findings
from training.monitor.performance import expected_performance, performance_checks
from training.reference import binned, distributions, spread

RATE = 0.05
REFERENCE = 6_000
SIZES = (200, 1_000)
GATE = Gate(precision=0.25, recall=0.2)
CUTS = (-0.2, -0.8, -1.5)
LEARNED, JUDGED = 1_500, 400
RIGHT = AsJudged(REFERENCE, REFERENCE // 5, TRUE, Found(1.0, 0.0), dict.fromkeys("ABCD", TRUE))
"""What a champion is judged to be whose probabilities are true, and known to be."""


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
OF_OUTCOMES = DRIFTS[3:]
"""Those that inputs do not show."""


@dataclass(frozen=True, eq=False)
class Week:
    """Leads of a week: their columns, the champion's margins, and what became of them."""

    rows: pd.DataFrame
    margins: FloatArray
    labels: np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True, eq=False)
class Champion:
    """What the monitor knows of a champion; cuts of A, B, C and of the flag are margins. ``None``: the truth itself."""

    model: Model | None
    reference: dict[str, Any]
    judged: AsJudged
    cuts: tuple[float, ...]
    threshold: float
    error: float

    def scored(self, of: Week) -> Week:
        """The week with this champion's margins."""
        return of if self.model is None else replace(of, margins=self.model.margin(of.rows))


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


def true_champion(random: np.random.Generator) -> Champion:
    """One whose probabilities are true, with the reference of 6,000 rows."""
    training = week(REFERENCE, QUIET, random)
    reference = _reference(training.rows, sigmoid(training.margins), learn_encoder(training.rows))
    return Champion(None, reference, RIGHT, CUTS, CUTS[1], 0.05)


def fitted_champion(random: np.random.Generator) -> Champion:
    """One as ``train`` makes it of 1,500 rows, and what 400 later ones say of it."""
    learned, later = week(LEARNED, QUIET, random), week(JUDGED, QUIET, random)
    made = fit(
        learned.rows,
        learned.labels,
        np.arange(LEARNED) * HOUR,
        horizon=1,
        groups={str(name): str(name) for name in learned.rows},
        seed=7,
        workers=1,
    )
    fold = made.last_fold
    cuts = freeze_cuts(sigmoid(fold.margins), operate=Operate(), grades=Grades())
    places = log_odds(np.array([cuts.a, cuts.b, cuts.c, cuts.threshold])).tolist()
    margins = made.model.margin(later.rows)
    return Champion(
        made.model,
        _reference(learned.rows, sigmoid(made.model.margin(learned.rows)), made.model.encoder),
        AsJudged.of(margins, later.labels, _grades(margins, tuple(places[:3]))),
        tuple(places[:3]),
        places[3],
        first_offset(fold.before, fold.labels, offset=made.model.offset)["error"],
    )


def found(champion: Champion, now: Week, ripe: Week, *, seed: int) -> list[Finding]:
    """What the monitor finds in a week, and in the leads whose outcome became known; both as the champion scores."""
    of_model = [*of_scores(champion, now, seed=seed), *of_outcomes(champion, ripe, champion.judged, seed=seed)]
    return findings([*of_inputs(champion, now, seed=seed), *of_model], false_alarms=RATE)


def of_inputs(champion: Champion, now: Week, *, seed: int) -> list[Check]:
    """The checks of columns, which know nothing of the model."""
    return input_checks(champion.reference, _compared(now, seed=seed), source=str, skip=frozenset())


def of_scores(champion: Champion, now: Week, *, seed: int) -> list[Check]:
    """The checks of scores and of expected performance."""
    moved = score_check(champion.reference, sigmoid(now.margins), _compared(now, seed=seed))
    flagged = now.margins >= champion.threshold
    expected = expected_performance(now.margins, flagged, error=champion.error, seed=seed)
    return [moved] if expected is None else [moved, *performance_checks(expected, GATE)]


def of_outcomes(champion: Champion, ripe: Week, judged: AsJudged, *, seed: int) -> list[Check]:
    """The checks of calibration, as a whole and by grade."""
    grades = _grades(ripe.margins, champion.cuts)
    return [
        *calibration(ripe.margins, ripe.labels, judged=judged, seed=seed)[1],
        *promises(sigmoid(ripe.margins), grades, ripe.labels, judged=judged)[1],
    ]


def usual_rule(reference: dict[str, Any], now: Week) -> bool:
    """Whether any number column has a PSI above 0.1, without asking how many leads there are."""
    for name, of in reference["columns"].items():
        if "deciles" in of:
            counts = np.array(binned(now.rows[name].dropna().to_numpy(dtype=np.float64), of["deciles"]))
            if psi(np.array(of["counts"]), counts[None, :])[0] > 0.1:  # noqa: PLR2004  # the rule as it is known
                return True
    return False


@dataclass
class Tally:
    """Weeks of one kind, and how many of them had what."""

    weeks: int = 0
    alarms: int = 0
    named: int = 0
    other_rule: int = 0

    def add(self, drift: Drift, seen: list[Finding], *, other_rule: bool) -> None:
        """One week more."""
        self.weeks += 1
        self.alarms += bool(seen)
        self.named += drift.expected in {(each.kind, each.subject) for each in seen}
        self.other_rule += other_rule

    def row(self, leads: int, drift: Drift) -> list[str]:
        """A line of the table."""
        alarms, named, other = (f"{count / self.weeks:.1%}" for count in (self.alarms, self.named, self.other_rule))
        return [f"{leads:,}", drift.name, f"{self.weeks:,}", alarms, "" if drift is QUIET else named, other]


def with_true_champion(leads: int, drift: Drift, *, weeks: int, random: np.random.Generator) -> Tally:
    """Weeks of one kind, and the usual rule beside the monitor."""
    champion, tally = true_champion(random), Tally()
    for number in range(weeks):
        now, ripe = week(leads, drift, random), week(leads, drift, random)
        tally.add(drift, found(champion, now, ripe, seed=number), other_rule=usual_rule(champion.reference, now))
    return tally


def with_fitted_champion(
    champion: Champion, leads: int, drift: Drift, *, weeks: int, random: np.random.Generator, tally: Tally
) -> None:
    """Weeks of one kind added to the tally, and beside the monitor one that takes the probabilities for true.

    Without the inputs, which are watched the same whatever the model is.
    """
    for _ in range(weeks):
        now, ripe = (champion.scored(week(leads, drift, random)) for _ in range(2))
        early = of_scores(champion, now, seed=tally.weeks)
        seen, credulous = (
            findings([*early, *of_outcomes(champion, ripe, judged, seed=tally.weeks)], false_alarms=RATE)
            for judged in (champion.judged, RIGHT)
        )
        tally.add(drift, seen, other_rule=bool(credulous))


def reports(*, quiet: int, drifted: int, champions: int) -> Iterator[str]:
    """The page as it grows: so many weeks a cell, those of the first table spread over so many champions."""
    random = np.random.default_rng(7)
    fitted = {(leads, drift): Tally() for leads in SIZES for drift in (QUIET, *OF_OUTCOMES)}
    for number in range(champions):
        champion = fitted_champion(random)
        for (leads, drift), tally in fitted.items():
            weeks = -(-(quiet if drift is QUIET else drifted) // champions)
            with_fitted_champion(champion, leads, drift, weeks=weeks, random=random, tally=tally)
        yield told(fitted, {}, champions=number + 1)
    true: dict[tuple[int, Drift], Tally] = {}
    for leads in SIZES:
        for drift in (QUIET, *DRIFTS):
            weeks = quiet if drift is QUIET else drifted
            true[leads, drift] = with_true_champion(leads, drift, weeks=weeks, random=random)
            yield told(fitted, true, champions=champions)


def told(fitted: Mapping[tuple[int, Drift], Tally], true: Mapping[tuple[int, Drift], Tally], *, champions: int) -> str:
    """The page."""
    head = ("leads", "week", "weeks", "monitor alarms", "names the cause")
    first, second = ([tally.row(*cell) for cell, tally in cells.items()] for cells in (fitted, true))
    return f"""Stated: at most {RATE:.0%} of quiet weeks alarm, half of that for inputs and half for everything else.

## Fitted champions

{champions} of them, each fitted on {LEARNED:,} rows and judged on {JUDGED} later ones. The checks of inputs, which know
no model, are left out: of quiet weeks {RATE / 2:.1%} may alarm. The weeks of one champion share what its judgement was
off by, so the shares are less sure than so many independent weeks would be. The last column is a monitor that takes the
probabilities for true.

{table((*head, "if taken for true"), first)}

## A champion whose probabilities are true

All checks: 30 columns, {REFERENCE:,} training rows.

{table((*head, "any PSI > 0.1"), second)}"""


def main() -> None:
    """Simulate, print and write the tables."""
    asking = parser()
    asking.add_argument("--quiet", type=int, default=300)
    asking.add_argument("--drifted", type=int, default=40)
    asking.add_argument("--champions", type=int, default=30)
    asked = asking.parse_args()
    for text in reports(quiet=asked.quiet, drifted=asked.drifted, champions=asked.champions):
        tell("monitor", "False alarms and power of the monitor", asked.date, text)


def _compared(now: Week, *, seed: int) -> Compared:
    return Compared(now.rows, leads=len(now.rows), rate=RATE, material=0.1, seed=seed)


def _reference(rows: pd.DataFrame, scores: FloatArray, encoder: Encoder) -> dict[str, Any]:
    return {**distributions(rows, encoder, scores), "leads": len(rows), "score": spread(scores)}


def _grades(margins: FloatArray, cuts: tuple[float, ...]) -> Names:
    places: Names = np.array(["D", "C", "B", "A"], dtype=object)[np.sum([margins >= cut for cut in cuts], axis=0)]
    return places


if __name__ == "__main__":
    main()
