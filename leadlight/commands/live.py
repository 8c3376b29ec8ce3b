"""Facts as they come: take in a file of them, and forget a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.commands.console import DataFolder, Json, SiteFolder, StateFolder, app, err, print_answer
from leadlight.commands.place import build_site, open_place, wall
from leadlight.settings import SiteError


@app.command()
def ingest(
    site: SiteFolder,
    file: Annotated[Path, typer.Argument(help="a .csv (UTF-8 or GB18030), .parquet or .jsonl file of events or leads")],
    data: DataFolder = None,
    state: StateFolder = None,
    errors: Annotated[Path | None, typer.Option(help="where refused rows are told (default: FILE.errors.csv)")] = None,
    as_json: Json = False,
) -> None:
    """Take a file of live facts into the log; good rows are kept, refused ones told. Exit 1 if any was refused."""
    place = open_place(site, state)
    build_site(place, data)
    from features.history import open_history
    from features.ingest import ingest as take_in
    from features.ingest import write_refusals
    from features.log import Log
    from leadlight.database import open_database

    log = Log(open_database(place.site, place.state))
    with err.status(f"taking in {file.name} …"):
        taken = take_in(file, place.site, open_history(place.state), log, state=place.state, wall=wall)
    told = errors or file.with_name(f"{file.name}.errors.csv")
    refused = len({each.number for each in taken.refused})
    print_answer(as_json, {"rows": taken.rows, **taken.results, "refused": refused}, taken.lines())
    if taken.refused:
        write_refusals(told, taken.refused)
        words = f"{told} says why; mend them and send the file again"
        raise SiteError([f"{refused} of {taken.rows} rows were refused: {words}"])


@app.command()
def erase(
    site: SiteFolder,
    leads: Annotated[list[str], typer.Argument(help="any lead of each person")],
    state: StateFolder = None,
    as_json: Json = False,
) -> None:
    """Forget people: every trace in log, history, features, online rows and exported files goes, for good."""
    place = open_place(site, state)
    from features.erasure import erase_people

    erased = erase_people(place.site, place.catalogue, leads, state=place.state, at=wall())
    values = {"leads": list(erased.leads), "removed": erased.removed}
    rows = (f"{count:,} rows of {where}" for where, count in erased.removed.items())
    print_answer(as_json, values, [f"erased {', '.join(erased.leads)}", *rows])
