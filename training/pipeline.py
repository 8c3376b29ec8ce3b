"""Read this first: from a target's feature rows to a judged, certified (or refused) version of its model."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.catalogue import Catalogue
from leadlight.model.bundle import Bundle, load_bundle, write_bundle
from leadlight.model.manifest import Origin
from leadlight.model.margins import sigmoid
from leadlight.registry import register
from leadlight.schema import from_micros
from leadlight.settings import Site, SiteError, Target
from leadlight.shelf import bundle_folder, verdict_file, write_json
from training.audit import audit
from training.calibrate import freeze_cuts
from training.dataset import CALIBRATION, TEST, TRAIN, Dataset, load
from training.fit import Fitted, fit
from training.gate import certify
from training.judgement import Judgement, assess
from training.plots import draw_scores, draw_shap
from training.reference import distributions
from training.report import HEADLINES, lines
from training.tracking import Record, Rows, track

SEED = 7


@dataclass(frozen=True, eq=False)
class Result:
    """A finished training: the version it made and what the gate said of it."""

    version: int
    judgement: Judgement
    made: bool

    def to_json(self) -> dict[str, Any]:
        """``version``, ``verdict``, ``bundle_sha256``, ``metrics``, ``rules`` and what else ``verdict.json`` holds."""
        return {"version": self.version, **self.judgement.to_json(), "made": self.made}

    def lines(self) -> list[str]:
        """The same in words."""
        return lines(self.judgement, version=self.version, made=self.made)


def train(site: Site, catalogue: Catalogue, target_name: str, *, state: Path, seed: int = SEED) -> Result:
    """Fit, freeze, judge once on later rows, certify if the gate says promote, and keep it all as a new version.

    A column that looks like a leak stops it with a ``SiteError`` before anything is fitted. The same rows and seed give
    the same bundle, byte for byte.
    """
    _, target = site.target(target_name)
    rows = load(site, catalogue, target_name, state=state)
    learned, test = rows.part(TRAIN, CALIBRATION), rows.part(TEST)
    notes = _audited(learned, site)
    with _workshop(state, target_name) as files:
        fitted = fit_rows(learned, target, seed=seed)
        bundle = _write(fitted, learned, files / "bundle", (target_name, target, catalogue), seed=seed)
        judgement = assess(site, bundle, learned=learned, test=test, notes=notes, state=state, seed=seed)
        certify(
            judgement.verdict,
            bundle=files / "bundle",
            bundle_sha256=bundle.sha256,
            target_name=target_name,
            state=state,
        )
        write_json(files / "verdict.json", judgement.to_json())
        draw_scores(judgement.scored, threshold=judgement.threshold, folder=files / "plots")
        draw_shap(bundle.model, test.X, seed=seed, folder=files / "plots")
        run_id = track(site, target_name, _record(fitted, bundle, judgement, (learned, test), files), state=state)
        version = register(
            site,
            target_name,
            state=state,
            run_id=run_id,
            bundle_sha256=bundle.sha256,
            description=_description(judgement, bundle.manifest.origin),
        )
        _shelve(files, state, target_name, version)
    return Result(version, judgement, site.site.made)


def fit_rows(learned: Dataset, target: Target, *, seed: int) -> Fitted:
    """The model of these rows; a training label is known one horizon and the outcome's delay after its row."""
    return fit(
        learned.X,
        learned.y,
        learned.as_of,
        horizon=target.horizon + target.outcome_delay,
        groups={column.name: column.group for column in learned.columns},
        seed=seed,
        workers=os.cpu_count() or 1,
    )


def _audited(learned: Dataset, site: Site) -> tuple[str, ...]:
    """What the site vouches for; a column that looks like a leak and is not vouched for is a ``SiteError``."""
    found = audit(learned, site.leaks)
    if found.faults:
        raise SiteError(found.faults)
    return found.allowed


@contextmanager
def _workshop(state: Path, target_name: str) -> Iterator[Path]:
    """A folder for what a training makes, on the shelf's own disk, gone when the training ends or fails."""
    shelf = state / "bundles" / target_name
    shelf.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=shelf) as files:
        yield Path(files)


def _write(
    fitted: Fitted, learned: Dataset, folder: Path, asked: tuple[str, Target, Catalogue], *, seed: int
) -> Bundle:
    """Freeze the fitted model as a bundle, and read it back: what is judged is what was written."""
    target_name, target, catalogue = asked
    probabilities = sigmoid(fitted.last_fold.margins)
    origin = Origin(
        target=target_name,
        question=target.question,
        catalogue_hash=catalogue.hash,
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
        cuts=freeze_cuts(probabilities, operate=target.operate, grades=target.grades),
        rows=learned.X,
        reference=distributions(learned.X, fitted.model.encoder, probabilities),
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
        "linear_strength": None if log.linear is None else log.linear.strength,
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


def _shelve(files: Path, state: Path, target_name: str, version: int) -> None:
    (files / "verdict.json").replace(verdict_file(state, target_name, version))
    (files / "bundle").rename(bundle_folder(state, target_name, version))
