"""From a model to a card of points that people can edit."""

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
    TargetName,
    app,
    err,
    print_answer,
)
from leadlight.commands.models import check_libgomp
from leadlight.commands.place import build_site, open_place
from leadlight.settings import UsageError


@app.command()
def scorecard(
    site: SiteFolder,
    file: Annotated[Path | None, typer.Option("--out", help="write the card, such as to SITE/points.toml")] = None,
    card: Annotated[Path | None, typer.Option("--card", help="a card made by hand, to judge beside it")] = None,
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """The champion (else the last version) as an editable points table, and how much of the model it keeps."""
    if file is not None and file.exists():
        raise UsageError([f"--out {file}: exists, and may have been edited by hand: name another file"])
    check_libgomp()
    place = open_place(site, state)
    name, wanted = place.site.target(target)
    from features.catalogue import target_columns
    from training.points import read_card
    from training.scorecard import make_scorecard

    if card is not None:  # its faults are told before the work
        read_card(card, target_columns(place.catalogue, wanted.exclude))
    build_site(place, data, as_of)
    with err.status(f"making a card of {name} …"):
        found = make_scorecard(place.site, place.catalogue, name, state=place.state, card=card)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(found.file, encoding="utf-8")
    written = [] if file is None else [f"wrote {file}"]
    print_answer(as_json, {**found.to_json(), "out": None if file is None else str(file)}, [*found.lines(), *written])
