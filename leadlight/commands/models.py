"""From features to a judged model: train, backtest."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Annotated

import typer

from leadlight.commands.console import (
    AsOf,
    DataFolder,
    Json,
    SiteFolder,
    StateFolder,
    TargetName,
    app,
    err,
    print_answer,
)
from leadlight.commands.place import open_built
from leadlight.commands.searching import searching
from leadlight.commands.versions import By, decision_by
from leadlight.settings import SiteError


@app.command()
def train(  # noqa: PLR0913  # each is an option of the command line
    site: SiteFolder,
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="search beyond the recipe: so many trials in all")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, help="begin no trial after so many minutes")
    ] = None,
    by: By = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Fit the target's model, judge it on later time, and keep bundle, verdict and certificate."""
    check_libgomp()
    place, name = open_built(site, state, target, data, as_of)
    from training import pipeline
    from training.gate import Signer

    asked = decision_by(by)
    signer = Signer(asked.by, asked.at)
    with searching(f"training {name}", trials=trials, minutes=minutes) as search:
        result = pipeline.train(place.site, place.catalogue, name, state=place.state, search=search, signer=signer)
    print_answer(as_json, result.to_json(), result.lines())


@app.command()
def backtest(  # noqa: PLR0913  # each is an option of the command line
    site: SiteFolder,
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    predictions: Annotated[Path | None, typer.Option(help="write the test rows' probabilities, Parquet")] = None,
    dataset: Annotated[Path | None, typer.Option(help="write all feature rows, Parquet")] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="refit for what each feature group earns, stability over seeds, and ageing")
    ] = False,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """The same later rows for Leadlight, logistic regression, default LightGBM and HistGradientBoosting."""
    check_libgomp()
    place, name = open_built(site, state, target, data, as_of)
    from training import backtest as backtesting

    with err.status(f"backtesting {name} …"):
        result = backtesting.backtest(
            place.site,
            place.catalogue,
            name,
            state=place.state,
            predictions=predictions,
            dataset=dataset,
            with_deep=deep,
        )
    print_answer(as_json, result.to_json(), result.lines())


def check_libgomp() -> None:
    try:
        ctypes.CDLL("libgomp.so.1" if sys.platform == "linux" else "libomp.dylib")
    except OSError as error:
        raise SiteError(
            ["LightGBM needs the OpenMP library libgomp, which comes with gcc (Debian: libgomp1)"]
        ) from error
