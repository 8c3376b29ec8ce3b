"""From raw files to features: draft a site, check its data, build."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.commands.console import (
    AsOf,
    DataFolder,
    EngineName,
    Json,
    SiteFolder,
    StateFolder,
    app,
    err,
    print_answer,
)
from leadlight.commands.place import build_site, open_place


@app.command()
def init(
    site: SiteFolder,
    data: Annotated[Path, typer.Option("--data", help="the folder of the raw CSV, Parquet or JSON files")],
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", help="what counts as success: a column, COLUMN=VALUE or a kind of event"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draft a site from raw files: four commented files for a person to finish."""
    from features.draft import draft_site

    draft = draft_site(site, data, outcome=outcome)
    files = [str(path) for path in draft.files]
    left_out = [f"left out {name}: {why}" for name, why in draft.left_out.items()]
    lines = [*(f"wrote {path}" for path in files), *left_out, *draft.outcome]
    print_answer(as_json, {"files": files, "left_out": draft.left_out, "outcome": list(draft.outcome)}, lines)
    err.print(f"Next: finish the lines marked CHECK, then `leadlight check {site} --data {data}`")


@app.command()
def check(
    site: SiteFolder,
    target: Annotated[str | None, typer.Option("--target", help="only this target (default: all of them)")] = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Run the site's SQL, name every fault of the raw data, and say whether they can carry a model."""
    place = open_place(site, state)
    asked = (
        place.site if target is None else place.site.model_copy(update={"targets": dict([place.site.target(target)])})
    )
    built = build_site(place, data, as_of)
    from training.readiness import readiness

    report = readiness(asked, place.catalogue, built, state=place.state)
    print_answer(as_json, report.to_json(), report.lines())


@app.command()
def build(
    site: SiteFolder,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    engine: EngineName = "duckdb",
    as_json: Json = False,
) -> None:
    """From raw files to features: history, spines, labels, Feast tables and online rows."""
    built = build_site(open_place(site, state), data, as_of, engine)
    print_answer(as_json, built.to_json(), built.lines())
