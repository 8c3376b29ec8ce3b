"""Which columns know the outcome: the leakage audit."""

from __future__ import annotations

import typer

from leadlight.commands.console import (
    AsOf,
    DataFolder,
    HtmlPage,
    Json,
    SiteFolder,
    StateFolder,
    TargetName,
    app,
    check_page,
    err,
    print_answer,
    print_page,
)
from leadlight.commands.place import data_folder, open_built


@app.command()
def audit(
    site: SiteFolder,
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    html: HtmlPage = None,
    as_json: Json = False,
) -> None:
    """Look for leaks in every feature and raw column; exit 1 if the model would learn from one not vouched for."""
    check_page(html)
    place, name = open_built(site, state, target, data, as_of)
    from features.encoding import utf8_folder
    from training.audit import full_audit

    with err.status(f"auditing {name} …"), utf8_folder(data_folder(place, data)) as readable:
        report = full_audit(place.site, place.catalogue, name, state=place.state, data=readable)
    print_answer(as_json, report.to_json(), report.lines())
    for fault in report.faults:
        err.print(f"error: {fault}", markup=False, soft_wrap=True)
    print_page(html, report.page)
    if report.faults:
        raise typer.Exit(1)
