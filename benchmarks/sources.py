"""The problems of ``benchmarks.few_positives``, each made from its raw data when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.problems import ROOT, packaged
from features.build import build
from features.catalogue import Catalogue, load_catalogue
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.sample import draw
from leadlight.schema import DAY, Micros
from leadlight.settings import Site, load_site
from training.dataset import CALIBRATION, TEST, TRAIN, load
from training.fit.folds import Labels, Moments

SITES = {
    "demo": ("first_order",),
    "x_education": ("converted",),
    "learning_platform": ("panel", "week_one", "day_0"),
}
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


@dataclass(frozen=True)
class Source:
    """A problem by name, made when asked for; on a ``known`` one the rules for few positives were chosen."""

    name: str
    known: bool
    make: Callable[[], Problem]


def site_problems(folder: Path, data: Path) -> Iterator[Source]:
    """Targets of the example sites: the demo's made data, and the real sets that are there."""
    for name, targets in SITES.items():
        site = ROOT / "examples" / name
        files = folder / "made" if load_site(site).sample is not None else data / name
        if load_site(site).sample is None and not files.is_dir():
            continue
        for target in targets:
            yield Source(
                f"{name} {target}", known=True, make=partial(_built, f"{name} {target}", site, target, files, folder)
            )


def packaged_problems(folder: Path) -> Iterator[Source]:
    """The problems of ``sets/sets.toml`` that come in wheels."""
    for each in packaged(folder):
        yield Source(each.name, known=False, make=partial(_built, each.name, each.site, each.target, each.data, folder))


def _built(name: str, folder_of_site: Path, target_name: str, files: Path, folder: Path) -> Problem:
    """The problem of a site's target, made from its raw files."""
    site, catalogue, state = _site(folder_of_site, files, folder / "state" / folder_of_site.name)
    rows, (_, target) = load(site, catalogue, target_name, state=state), site.target(target_name)
    learned, test = (Rows(part.X, part.y, part.as_of) for part in (rows.part(TRAIN, CALIBRATION), rows.part(TEST)))
    return Problem(name, target.horizon + target.outcome_delay, learned, test)


@cache
def _site(folder: Path, files: Path, state: Path) -> tuple[Site, Catalogue, Path]:
    """The site with its state built from these files, once for all of its targets."""
    site = load_site(folder)
    if site.sample is not None:
        draw(files, leads=site.sample.leads, seed=site.sample.seed)
    catalogue = load_catalogue(site)
    build(site, catalogue, state=state, data=files, as_of=None, wall=FAR_FUTURE)
    return site, catalogue, state


def made_problems() -> Iterator[Source]:
    """Two that are drawn: one whose truth is a sum, with drift, and one whose truth is made of steps and pairs."""
    for name, truth in {"made, a sum": _sum_of, "made, steps": _steps_of}.items():
        yield Source(name, known=True, make=partial(_drawn, name, truth))


def _drawn(name: str, truth: Callable[[pd.DataFrame, FloatArray], FloatArray]) -> Problem:
    random = np.random.default_rng(3)
    days = np.arange(ROWS) / ROWS * 200
    X = _made_columns(random, days)
    y = (random.random(ROWS) < sigmoid(truth(X, days))).astype(np.int8)
    as_of = (days * DAY).astype(np.int64)
    half = ROWS // 2
    return Problem(
        name, 5 * DAY, Rows(X.iloc[:half], y[:half], as_of[:half]), Rows(X.iloc[half:], y[half:], as_of[half:])
    )


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
