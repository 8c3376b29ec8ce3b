"""Read this first: from a target's feature rows to a judged, certified (or refused) version of its model."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from features.catalogue import Catalogue
from leadlight.model.blended import RUNGS, Rung
from leadlight.model.bundle import Bundle, load_bundle, write_bundle
from leadlight.model.manifest import Origin
from leadlight.model.margins import sigmoid
from leadlight.schema import from_micros
from leadlight.settings import Site, SiteError, Target
from leadlight.settings.points import PointsTable
from training.audit import audit, kept
from training.calibrate import first_offset, freeze_cuts
from training.capacity import flagged_by
from training.dataset import CALIBRATION, TEST, TRAIN, Dataset, load, local_days
from training.fit import Explore, Fitted, Wishes, fit
from training.gate import Provenance, Signer, certify
from training.judgement import Judgement, assess
from training.keeping import keep
from training.plots import draw_scores, draw_shap
from training.points import directions_of, load_points
from training.provenance import code_digest
from training.reference import distributions, spread
from training.report import HEADLINES, lines
from training.search import Clusters, Search, explorer, search_notes, trials_of
from training.slices import seen_before
from training.tracking import Record, Rows, check_reached, track_trials

SEED = 7


@dataclass(frozen=True, eq=False)
class Result:
    """A finished training: the version it made and what the gate said of it."""

    version: int
    judgement: Judgement
    made: bool
    rung: Rung

    def to_json(self) -> dict[str, Any]:
        """``version``, ``verdict``, ``bundle_sha256``, ``metrics``, ``rules`` and what else ``verdict.json`` holds."""
        return {"version": self.version, "rung": self.rung, **self.judgement.to_json(), "made": self.made}

    def lines(self) -> list[str]:
        """The same in words."""
        head, *rest = lines(self.judgement, version=self.version, made=self.made)
        return [head, f"model: {RUNGS[self.rung]}", *rest]


def train(
    site: Site,
    catalogue: Catalogue,
    target_name: str,
    *,
    state: Path,
    seed: int = SEED,
    signer: Signer | None = None,
    search: Search | None = None,
) -> Result:
    """Fit, freeze, judge once on later rows, certify if the gate says promote, and keep it all as a new version.

    A column that looks like a leak stops it with a ``SiteError`` before anything is fitted, and so does an MLflow that
    is away. The same rows and seed give the same bundle, byte for byte; ``signer`` stands in the certificate alone.
    """
    _, target = site.target(target_name)
    rows = load(site, catalogue, target_name, state=state)
    learned, test = rows.part(TRAIN, CALIBRATION), rows.part(TEST)
    notes = _audited(learned, site, target_name, state)
    check_reached(site, target_name, state=state)
    name = _study(target_name, target, learned)
    clusters = Clusters(learned.lead_id, local_days(learned.as_of, site.offset))
    explore = None if search is None else explorer(search, clusters, folder=state / "search", name=name, seed=seed)
    with _workshop(state, target_name) as files:
        fitted = fit_rows(learned, target, seed=seed, card=load_points(site, target, learned.columns), explore=explore)
        notes = (*notes, *search_notes(fitted, test, local_days(test.as_of, site.offset)))
        bundle = freeze(fitted, learned, files / "bundle", (target_name, target, catalogue), site=site, seed=seed)
        seen = seen_before(rows)[rows.split == TEST]
        judgement = assess(site, bundle, learned=learned, test=test, seen=seen, notes=notes, state=state, seed=seed)
        certify(
            judgement.verdict,
            bundle=files / "bundle",
            bundle_sha256=bundle.sha256,
            target_name=target_name,
            state=state,
            provenance=Provenance(learned.digest, test.digest, code_digest(), catalogue.hash),
            as_judged=judgement.as_judged,
            signer=signer,
        )
        draw_scores(judgement.scored, threshold=judgement.threshold, folder=files / "plots")
        draw_shap(bundle.model, test.X, seed=seed, folder=files / "plots")
        record = _record(fitted, bundle, judgement, (learned, test), files)
        description = _description(judgement, bundle.manifest.origin)
        version, run_id = keep(site, bundle, judgement.to_json(), record, description=description, state=state)
        if fitted.found is not None:
            track_trials(site, target_name, run_id, trials_of(fitted.found), state=state)
    return Result(version, judgement, site.site.made, bundle.model.rung)


def _study(target_name: str, target: Target, learned: Dataset) -> str:
    """What a search goes on with: another question, other rows or another wish of the site begin a new one."""
    return f"{target_name}-{learned.digest}{'-monotone' if target.fit.monotone else ''}"


def fit_rows(
    learned: Dataset,
    target: Target,
    *,
    seed: int,
    card: PointsTable | None = None,
    explore: Explore | None = None,
) -> Fitted:
    """The model of these rows; a training label is known one horizon and the outcome's delay after its row.

    ``card`` is the site's points table, for as long as the rows hold too few outcomes to learn from.
    """
    return fit(
        learned.X,
        learned.y,
        learned.as_of,
        horizon=target.horizon + target.outcome_delay,
        groups={column.name: column.group for column in learned.columns},
        seed=seed,
        workers=os.cpu_count() or 1,
        wishes=Wishes(directions_of(target, learned.columns), card, explore),
    )


def _audited(learned: Dataset, site: Site, target_name: str, state: Path) -> tuple[str, ...]:
    """What the site vouches for, and what is suspect; a leak that is not vouched for is a ``SiteError``.

    What the last ``leadlight audit`` of the same rows found of times counts too.
    """
    found = audit(learned, site.leaks, kept(learned, target_name, state))
    if found.faults:
        raise SiteError(found.faults)
    return (*found.allowed, *found.suspects)


@contextmanager
def _workshop(state: Path, target_name: str) -> Iterator[Path]:
    """A folder for what a training makes, on the shelf's own disk, gone when the training ends or fails."""
    shelf = state / "bundles" / target_name
    shelf.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=shelf) as files:
        yield Path(files)


def freeze(
    fitted: Fitted, learned: Dataset, folder: Path, asked: tuple[str, Target, Catalogue], *, site: Site, seed: int
) -> Bundle:
    """Freeze the fitted model as a bundle, and read it back: what is judged is what was written."""
    target_name, target, catalogue = asked
    probabilities = sigmoid(fitted.last_fold.margins)
    days = len(np.unique(local_days(learned.as_of[fitted.last_fold.rows], site.offset)))
    operate = flagged_by(target.operate, rows=len(probabilities), days=days)
    origin = Origin(
        target=target_name,
        question=target.question,
        catalogue_hash=catalogue.digest(fitted.model.encoder.columns),
        data_digest=learned.digest,
        seed=seed,
        rows=len(learned.y),
        positives=int(learned.y.sum()),
        trained_until=int(learned.as_of[-1]),
    )
    sha256 = write_bundle(
        folder,
        fitted.model,
        origin=origin,
        cuts=freeze_cuts(probabilities, operate=operate, grades=target.grades),
        rows=learned.X,
        reference={
            **distributions(learned.X, fitted.model.encoder, probabilities),
            "leads": len(set(learned.lead_id)),
            "score": spread(sigmoid(fitted.model.margin(learned.X))),
            "calibration": first_offset(fitted.last_fold.before, fitted.last_fold.labels, offset=fitted.model.offset),
        },
    )
    return load_bundle(folder, expected=sha256)


def _record(fitted: Fitted, bundle: Bundle, judgement: Judgement, rows: tuple[Dataset, Dataset], files: Path) -> Record:
    log, origin = fitted.log, bundle.manifest.origin
    parameters = {
        "seed": origin.seed,
        "columns": len(bundle.manifest.columns),
        "catalogue_hash": origin.catalogue_hash,
        "training_rows": log.rows,
        "training_positives": log.positives,
        "linear": None if log.linear is None else log.linear.words,
        "trees": ", ".join(f"{name} x {rounds}" for name, rounds, _ in log.trees),
        "tree_weight": log.weight,
        "offset": log.offset,
        "threshold": judgement.threshold,
    }
    used = (
        Rows(context, part.digest, len(part.y), int(part.y.sum()))
        for context, part in zip(("training", "test"), rows, strict=True)
    )
    tags = {"verdict": judgement.verdict.verdict, "bundle_sha256": bundle.sha256}
    name = f"train until {_day(origin)}: {HEADLINES[judgement.verdict.verdict]}"
    return Record(name, parameters, judgement.evaluation.to_json(), tags, tuple(used), files)


def _description(judgement: Judgement, origin: Origin) -> str:
    """What people read of a version in the registry."""
    whole, metrics = judgement.evaluation, judgement.evaluation.metrics
    numbers = (f"{name.replace('_', ' ')} {metric.value:.3f}" for name, metric in metrics.items() if metric)
    return (
        f"{HEADLINES[judgement.verdict.verdict]}; learned from {origin.rows} rows until {_day(origin)}, judged on"
        f" {whole.rows} later ones of {whole.leads} leads: {', '.join(numbers)}"
    )


def _day(origin: Origin) -> str:
    return from_micros(origin.trained_until).date().isoformat()
