"""Facts as they come: take in a file of them, and forget a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlight.commands.console import DataFolder, Json, SiteFolder, StateFolder, app, err, print_answer
from leadlight.commands.place import Place, build_site, open_place, wall
from leadlight.settings import SiteError

if TYPE_CHECKING:
    from features.ingest import Refusal


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
    from features.ingest import Taken, forget_refusals
    from features.ingest import ingest as take_in
    from features.log import Log
    from leadlight.database import open_database

    told = errors or file.with_name(f"{file.name}.errors.csv")
    log, taken = Log(open_database(place.site, place.state)), Taken()
    whole = False
    try:
        with err.status(f"taking in {file.name} …"):
            take_in(file, place.site, open_history(place.state), log, state=place.state, wall=wall(), taken=taken)
        whole = True
    finally:  # whatever ends it, what came of the rows up to there is told
        refused = len({each.number for each in taken.refused})
        if whole or taken.rows:
            values = {"rows": taken.rows, **taken.results, "refused": refused, "overruled": taken.overruled}
            print_answer(as_json, values, taken.lines())
        if refused:
            _tell(place, told, taken.refused)
    if refused:
        words = f"{told} says why; mend them and send the file again"
        raise SiteError([f"{refused} of {taken.rows} rows were refused: {words}"])
    forget_refusals(told)


def _tell(place: Place, told: Path, refused: Sequence[Refusal]) -> None:
    """Write what was refused where an erasure will find it."""
    from features.ingest import write_refusals
    from leadlight.database import DatabaseUnavailable
    from leadlight.database.exports import remember_export

    try:
        remember_export(place.site, place.state, told, at=wall())
    except DatabaseUnavailable:
        words = f"{told}: the database could not note it, so `leadlight erase` does not reach it: delete it once used"
        err.print(words, markup=False, soft_wrap=True)
    write_refusals(told, refused)


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
    from leadlight.database import DatabaseUnavailable

    try:
        erased = erase_people(place.site, place.catalogue, leads, state=place.state, at=wall())
    except DatabaseUnavailable as fault:
        raise SiteError([f"{fault}: run the same command again"]) from fault
    values = {"leads": list(erased.leads), "removed": erased.removed}
    rows = (f"{count:,} rows of {where}" for where, count in erased.removed.items())
    print_answer(as_json, values, [f"erased {', '.join(erased.leads)}", *rows])
