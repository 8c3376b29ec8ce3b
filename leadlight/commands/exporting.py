"""From features to a file of them: any features of any leads at any moment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.commands.console import (
    AsOf,
    DataFolder,
    Json,
    SiteFolder,
    StateFolder,
    app,
    err,
    print_answer,
)
from leadlight.commands.place import build_site, open_place, parse_moment, wall
from leadlight.schema import LEAD_ID, from_micros
from leadlight.settings import UsageError


@app.command()
def export(  # noqa: PLR0913 - each is an option of the command line
    site: SiteFolder,
    file: Annotated[Path, typer.Option("--out", help="a .parquet or .csv file")],
    features: Annotated[
        str | None, typer.Option("--features", metavar="NAME,…", help="entries or columns (default: all)")
    ] = None,
    lead: Annotated[list[str] | None, typer.Option("--lead", help="one lead; again for more (default: all)")] = None,
    leads: Annotated[
        Path | None, typer.Option("--leads", help=f"one id a line, or a .csv or .parquet with {LEAD_ID}")
    ] = None,
    target: Annotated[str | None, typer.Option("--target", help="only what this target's model may use")] = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Write features of leads as they were known at a moment: what training and scoring read of it."""
    place = open_place(site, state)
    moment = parse_moment(as_of, place.site)
    from features.catalogue import target_columns
    from features.export import chosen_columns, export_rows, schema_of
    from features.table_file import open_table_file
    from leadlight.database.exports import remember_export

    exclude = place.site.target(target)[1].exclude if target else ()
    asked = [name.strip() for name in features.split(",")] if features is not None else []
    columns = chosen_columns(target_columns(place.catalogue, exclude), asked)
    ids = None if lead is None and leads is None else [*(lead or ()), *(_ids_in(leads) if leads else ())]
    with open_table_file(file, schema_of(columns)) as opened:  # first: a wrong name is said before the work
        build_site(place, data)
        from features.history import clock, open_history

        history = open_history(place.state)
        at = clock(place.site, history, wall=wall()) if moment is None else moment
        with err.status("evaluating features …"), history.reading() as tables:
            rows = export_rows(place.site, place.catalogue, tables, columns=columns, leads=ids, as_of=at)
        remember_export(place.site, place.state, file, at=wall())
        opened.write(rows)
    values = {"as_of": from_micros(at).isoformat(), "leads": len(rows), "columns": len(columns), "out": str(file)}
    words = f"{len(rows):,} leads with {len(columns)} features as of {values['as_of']}: {file}"
    print_answer(as_json, values, [words])


def _ids_in(file: Path) -> list[str]:
    """The ids that a file, UTF-8 or GB18030, names: in its column ``lead_id``, or one a line."""
    form = file.suffix.lower()
    encoding = "" if form == ".parquet" else _encoding_of(file)
    if form not in {".csv", ".parquet"}:
        return [line.strip() for line in file.read_text(encoding=encoding).splitlines() if line.strip()]
    import pyarrow as pa
    import pyarrow.csv as pv
    import pyarrow.parquet as pq

    try:
        if form == ".parquet":
            table = pq.read_table(file)
        else:
            as_text = pv.ConvertOptions(column_types={LEAD_ID: pa.string()})
            table = pv.read_csv(file, pv.ReadOptions(encoding=encoding), convert_options=as_text)
    except pa.ArrowInvalid as error:
        raise UsageError([f"--leads {file}: cannot be read: {error}"]) from error
    if LEAD_ID not in table.column_names:
        raise UsageError([f"--leads {file}: has no column {LEAD_ID}, but {', '.join(table.column_names)}"])
    ids: list[str] = table[LEAD_ID].cast(pa.string()).drop_null().to_pylist()
    return ids


def _encoding_of(file: Path) -> str:
    from features.encoding import encoding_of

    encoding = encoding_of(file)
    if encoding is None:
        raise UsageError([f"--leads {file}: is neither UTF-8 nor GB18030: save it as UTF-8"])
    return encoding
