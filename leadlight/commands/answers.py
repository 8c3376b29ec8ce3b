"""From a model to answers: score in bulk, serve over HTTP, and the demo of it all."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from leadlight.commands.console import (
    AsOf,
    DataFolder,
    EngineName,
    Json,
    Language,
    SiteFolder,
    StateFolder,
    TargetName,
    app,
    err,
    out,
    print_answer,
)
from leadlight.commands.models import train
from leadlight.commands.place import Place, build_site, open_place, open_served, parse_moment, wall
from leadlight.commands.sites import check
from leadlight.commands.versions import promote
from leadlight.settings import UsageError


@app.command()
def score(  # noqa: PLR0913 - each is an option of the command line
    site: SiteFolder,
    file: Annotated[Path, typer.Option("--out", help="a .parquet, .csv or .jsonl file; with Spark a folder")],
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    language: Language = "en",
    engine: EngineName = "duckdb",
    journal: Annotated[
        bool | None, typer.Option("--journal/--no-journal", help="keep every score (default: but with Spark)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score every open lead, likeliest first, with grade and reasons: what HTTP answers at the same moment."""
    if engine == "spark" and journal:
        raise UsageError(["--journal: what Spark scores is not journalled; leave it out, or score without Spark"])
    place, name = open_served(site, state, target)
    build_site(place, data, engine=engine)
    from leadlight.database.exports import remember_export

    if engine == "spark":
        from serving.spark import score_site
    else:
        from serving import bulk

        score_site = partial(bulk.score_site, journal=journal is not False)
    remember_export(place.site, place.state, file, at=wall())
    with err.status(f"scoring open leads for {name} …"):
        scored = score_site(
            place.site,
            place.catalogue,
            target=name,
            state=place.state,
            out=file,
            wall=wall(),
            as_of=parse_moment(as_of, place.site),
            language=language,
        )
    moment = scored.as_of.isoformat()
    values = {"target": name, "version": scored.version, "as_of": moment, "leads": scored.leads, "out": str(file)}
    values |= {"left_out": scored.left_out, "locked": dict(scored.locked), "off_schedule": scored.off_schedule}
    values |= {"journalled": engine != "spark" and journal is not False}
    lines = [f"{scored.leads:,} open leads as of {moment}, model {scored.version}: {file}"]
    if scored.left_out:
        by_lock = ", ".join(f"{lock} {count:,}" for lock, count in scored.locked.items())
        lines.append(f"{scored.left_out:,} more are left out, nobody may contact them: {by_lock}")
    if scored.off_schedule:
        learned = f"the model learned from ([targets.{name}] observe)"
        lines.append(f"{scored.off_schedule:,} of them are of another age than {learned}: their scores promise less")
    print_answer(as_json, values, lines)


@app.command()
def serve(
    site: SiteFolder,
    data: DataFolder = None,
    state: StateFolder = None,
    host: Annotated[str, typer.Option(help="loopback only, unless there are API keys")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    as_of: AsOf = None,
) -> None:
    """Answer over HTTP: scores with reasons, and a card for sales."""
    place = open_place(site, state)
    fixed = parse_moment(as_of, place.site)
    from serving.listening import open_port
    from serving.listening import serve as answer
    from serving.logs import log_to_stderr

    log_to_stderr()
    with open_port(host, port, has_keys=lambda: _has_keys(place)) as listener:
        from serving.app import create_app  # seconds, only for a port that is ours

        build_site(place, data)
        with err.status("opening the service …"):
            application = create_app(place.site, place.catalogue, state=place.state, wall=wall, as_of=fixed)
        err.print(f"Leadlight answers at http://{host}:{port} — a card: /leads/LEAD_ID; Ctrl-C ends it")
        answer(application, listener)


@app.command()
def demo(
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="keep answering over HTTP at the end")] = True,
    state: StateFolder = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
) -> None:
    """From nothing to explained scores: draw made data, build, train, judge, promote, score, serve."""
    folder = Path(__file__).parents[2] / "examples" / "demo"
    scores = (state or folder / "state") / "scores.jsonl"
    err.print("[bold]The demo runs on made data: an online school that does not exist.[/bold]")
    check(folder, target="first_order", state=state)
    train(folder, state=state)
    promote(folder, state=state)
    score(folder, file=scores, state=state)
    with scores.open(encoding="utf-8") as lines:
        for _, line in zip(range(3), lines, strict=False):
            _print_score(json.loads(line))
    if serving:
        serve(folder, state=state, port=port)


def _has_keys(place: Place) -> bool:
    from serving.access import has_keys

    return has_keys(place.site, place.state)


def _print_score(found: dict[str, Any]) -> None:
    """The strongest reasons of one scored lead, in percentage points of probability."""
    low, high = (f"{found['interval'][end]:.0%}" for end in ("low", "high"))
    head = f"lead {found['lead_id']}: grade {found['grade']}, {found['probability']:.0%} ({low} to {high})"
    out.print(f"{head}, score {found['score']}", markup=False)
    for reason in found["reasons"][:4]:
        out.print(f"    {reason['percentage_points']:+6.1f}  {reason['words']}", markup=False)
