"""A card on the test rows, beside the model: agreement, loss and ranking. A report, and never a choice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from features.catalogue import Catalogue
from leadlight.grading import Cuts
from leadlight.model.bundle import Bundle, load_bundle
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.settings import Grades, Operate, Site
from leadlight.settings.points import PointsTable
from leadlight.shelf import bundle_folder, current_champion, last_trained, verdict_file
from training.calibrate import freeze_cuts
from training.dataset import CALIBRATION, TEST, TRAIN, Dataset, Moments, load, local_days
from training.evaluate import Scored, log_losses, loss_difference
from training.fit import weigh_table
from training.points import read_card
from training.scorecard.learn import learn_table
from training.scorecard.written import as_toml
from training.unseen import unseen


@dataclass(frozen=True)
class Line:
    """A rule as people read it."""

    when: tuple[str, ...]
    points: float
    scale: str


@dataclass(frozen=True)
class Measured:
    """A card on the test rows; ``worth`` is that of a point in log-odds, ``loss_difference`` the loss less the model's.

    ``rank_correlation`` (Spearman's) and ``same_grade`` (the share of rows) are its agreement with the model; its
    grades hold the site's shares of the calibration rows, as the model's do. Without a row to judge by there is none of
    these.
    """

    rules: tuple[Line, ...]
    worth: float
    auc: float | None
    log_loss: float | None
    loss_difference: float | None
    standard_error: float | None
    rank_correlation: float | None
    same_grade: float | None


@dataclass(frozen=True)
class Scorecard:
    """The card learned from a model, the model, and a card made by hand if there is one.

    ``notes`` say which test rows do not count, and whether those that do are too few.
    """

    target: str
    version: int
    bundle_sha256: str
    rows: int
    positives: int
    model: dict[str, float | None]
    learned: Measured
    by_hand: Measured | None
    notes: tuple[str, ...]
    file: str

    def to_json(self) -> dict[str, Any]:
        """All of it as one object; ``file`` is the learned card to edit."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The same in words."""
        head = f"{self.target} version {self.version} as a card; a point is worth {self.learned.worth:.3f} in log-odds"
        by_hand = [] if self.by_hand is None else ["by hand:", *_rules(self.by_hand)]
        compared = [] if self.by_hand is None else [_compared("by hand", self.by_hand)]
        model = f"  {'model':<8} AUC {_shown(self.model['auc'])}, log loss {_shown(self.model['log_loss'])}"
        found = [f"on {self.rows} test rows, {self.positives} converted:", model, _compared("learned", self.learned)]
        notes = [f"  note: {note}" for note in self.notes]
        return [head, *_rules(self.learned), *by_hand, *found, *compared, *notes]


@dataclass(frozen=True, eq=False)
class _Judge:
    """The rows that cards are weighed and judged on, the local days of the latter, and the model's word on them."""

    learned: Dataset
    calibration: Dataset
    test: Dataset
    day: Moments
    grades: Grades
    said: FloatArray
    graded: list[str]


def make_scorecard(
    site: Site, catalogue: Catalogue, target_name: str, *, state: Path, card: Path | None = None
) -> Scorecard:
    """The champion, or else the last version, as a card, judged on the test rows; beside it the card in a file.

    Test rows that the model learned from or was moved by do not count.
    """
    _, target = site.target(target_name)
    version, bundle = _newest(state, target_name)
    rows = load(site, catalogue, target_name, state=state)
    by_hand = None if card is None else read_card(card, rows.columns)
    learned = rows.part(TRAIN, CALIBRATION)
    table = learn_table(bundle.model, learned.X)
    left = unseen(rows.part(TEST), target, [bundle.manifest.origin], who=f"version {version}")
    test = left.rows
    said = sigmoid(bundle.model.margin(test.X)) if len(test.y) else np.empty(0)
    days, graded = local_days(test.as_of, site.offset), _graded(bundle.cuts, said)
    judge = _Judge(learned, rows.part(CALIBRATION), test, days, target.grades, said, graded)
    origin = f"Learned from version {version} of {target_name}, bundle {bundle.sha256}."
    return Scorecard(
        target=target_name,
        version=version,
        bundle_sha256=bundle.sha256,
        rows=len(test.y),
        positives=int(test.y.sum()),
        model={"auc": _auc(test, said), "log_loss": float(log_losses(test.y, said).mean()) if len(test.y) else None},
        learned=_measured(table, judge),
        by_hand=None if by_hand is None else _measured(by_hand, judge),
        notes=left.notes,
        file=as_toml(table, rows.columns, origin),
    )


def _newest(state: Path, target_name: str) -> tuple[int, Bundle]:
    champion = current_champion(state, target_name)
    if champion is not None:
        version, sha256 = champion.version, champion.bundle_sha256
    else:
        version = last_trained(state, target_name)
        sha256 = json.loads(verdict_file(state, target_name, version).read_bytes())["bundle_sha256"]
    return version, load_bundle(bundle_folder(state, target_name, version), expected=sha256)


def _measured(table: PointsTable, judge: _Judge) -> Measured:
    """The card, its points weighed on the training rows, on the test rows."""
    encoder, part = weigh_table(table, judge.learned.X, judge.learned.y)
    rules = tuple(Line(tuple(map(str, rule.when)), rule.points, rule.scale) for rule in table.rule)
    test = judge.test
    if not len(test.y):
        return Measured(rules, part.slope, None, None, None, None, None, None)

    def says(rows: Dataset) -> FloatArray:
        return sigmoid(part.margin(part.contributions(encoder.encode(rows.X))))

    said = says(test)
    cuts = freeze_cuts(says(judge.calibration), operate=Operate(), grades=judge.grades)
    gap = loss_difference(Scored.of(test.lead_id, test.y, said, threshold=1.0, day=judge.day), judge.said)
    same = [ours == theirs for ours, theirs in zip(_graded(cuts, said), judge.graded, strict=True)]
    return Measured(
        rules=rules,
        worth=part.slope,
        auc=_auc(test, said),
        log_loss=gap.other + gap.mean,
        loss_difference=gap.mean,
        standard_error=gap.error,
        rank_correlation=_rank_correlation(said, judge.said),
        same_grade=float(np.mean(same)),
    )


def _graded(cuts: Cuts, said: FloatArray) -> list[str]:
    return [cuts.grade(p) for p in said.tolist()]


def _auc(test: Dataset, said: FloatArray) -> float | None:
    return float(roc_auc_score(test.y, said)) if 0 < test.y.sum() < len(test.y) else None


def _rank_correlation(one: FloatArray, other: FloatArray) -> float | None:
    """Spearman's; none where either says the same of every row."""
    ranks = np.array([rankdata(one), rankdata(other)])
    return float(np.corrcoef(ranks)[0, 1]) if np.all(np.ptp(ranks, axis=1) > 0) else None


def _rules(card: Measured) -> Iterator[str]:
    for rule in card.rules:
        scale = f" (of the scale {rule.scale}, the most points count)" if rule.scale else ""
        yield f"  {rule.points:+6g}  {' and '.join(rule.when)}{scale}"


def _compared(name: str, card: Measured) -> str:
    if card.log_loss is None:
        return f"  {name:<8} no row to judge it by"
    return (
        f"  {name:<8} AUC {_shown(card.auc)}, log loss {card.log_loss:.4f}"
        f" ({card.loss_difference:+.4f}, standard error {card.standard_error:.4f});"
        f" rank correlation with the model {_shown(card.rank_correlation)}, same grade {card.same_grade:.1%}"
    )


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
