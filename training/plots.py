"""Pictures of a judged model for its MLflow run: calibration, gain, scores, and shap's own view of the trees."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadlight.model.blended import Model
from leadlight.model.margins import FloatArray
from training.evaluate import Scored, mass_bins

SAMPLE = 500
DEPENDENCES = 3
SIZE = (6.0, 4.5)


def draw_scores(rows: Scored, *, threshold: float, folder: Path) -> None:
    """``calibration.png``, ``gain.png`` and ``scores.png`` of test rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in (("calibration", _calibration), ("gain", _gain)):
        figure, axes = _page()
        draw(axes, rows)
        _save(figure, folder / f"{name}.png")
    figure, axes = _page()
    _scores(axes, rows, threshold)
    _save(figure, folder / "scores.png")


def draw_shap(model: Model, rows: pd.DataFrame, *, seed: int, folder: Path) -> None:
    """``shap_summary.png`` and ``shap_dependence_COLUMN.png`` of the strongest columns, by shap, of the trees.

    A model without trees has none. ``rows`` are drawn from at random, up to 500.
    """
    if not model.trees.boosters:
        return
    import matplotlib as mpl

    mpl.use("Agg")
    with warnings.catch_warnings():
        # shap 0.51 sets a colour of a shared matplotlib map at import: shap issue 4219
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap
    from matplotlib import pyplot as plt

    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(len(rows))[:SAMPLE])
    matrix, values = tree_shap(model, rows.iloc[chosen])
    names = list(model.encoder.columns)
    folder.mkdir(parents=True, exist_ok=True)
    shap.summary_plot(values, matrix, feature_names=names, show=False, rng=random)
    _save(plt.gcf(), folder / "shap_summary.png")
    for place in np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:DEPENDENCES]:
        shap.dependence_plot(int(place), values, matrix, feature_names=names, show=False, interaction_index=None)
        _save(plt.gcf(), folder / f"shap_dependence_{names[place]}.png")
    plt.close("all")


def tree_shap(model: Model, rows: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """The trees' input and what shap's own TreeExplainer makes of it (rows x columns), the mean over the boosters."""
    import shap

    matrix = model.encoder.for_trees(model.encoder.encode(rows))
    explained = [shap.TreeExplainer(booster)(matrix).values for booster in model.trees.boosters]  # noqa: PD011  # no frame
    return matrix, np.mean(explained, axis=0)


def _page() -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, layout="constrained")
    return figure, figure.subplots()


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=110, metadata={"Software": None})
    figure.clear()


def _calibration(axes: Axes, rows: Scored) -> None:
    bins = mass_bins(rows.p)
    bins = bins[:, bins.any(axis=0)]
    counts = bins.sum(axis=0)
    said, came = rows.p @ bins / counts, rows.y @ bins / counts
    error = 1.96 * np.sqrt(np.maximum(said * (1 - said), 0) / counts)
    highest = float(max(said.max(), came.max()))
    axes.plot([0, highest], [0, highest], color="grey", linewidth=1, label="said = came true")
    axes.errorbar(said, came, yerr=error, fmt="o", label="tenths of the test rows, 95 % of a true model")
    axes.set(title="Calibration", xlabel="probability said", ylabel="share that converted")
    axes.legend()


def _gain(axes: Axes, rows: Scored) -> None:
    order = np.argsort(-rows.p, kind="stable")
    share = np.arange(1, len(order) + 1) / len(order)
    axes.plot(share, np.cumsum(rows.y[order]) / max(int(rows.y.sum()), 1), label="by probability")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="by chance")
    axes.set(title="Gain", xlabel="share of leads, best first", ylabel="share of conversions found")
    axes.legend()


def _scores(axes: Axes, rows: Scored, threshold: float) -> None:
    parts = [rows.p[rows.y == outcome] for outcome in (0, 1)]
    axes.hist(parts, bins=40, log=True, label=["did not convert", "converted"])
    axes.axvline(threshold, color="black", linewidth=1, label="operating threshold")
    axes.set(title="Scores", xlabel="probability said", ylabel="test rows")
    axes.legend()
