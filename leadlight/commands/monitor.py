"""After a model went live: watch it, and let its offset follow the outcomes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

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
from leadlight.commands.place import Place, build_site, open_served, wall
from leadlight.schema import SECOND
from leadlight.settings import SiteError

if TYPE_CHECKING:
    from features.build import Built

Promote = Annotated[bool, typer.Option("--promote", help="make the recalibrated version champion")]


@app.command()
def monitor(
    site: SiteFolder,
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    recalibrated: Annotated[
        bool, typer.Option("--recalibrate", help="let the offset follow, if there is evidence")
    ] = False,
    promoted: Promote = False,
    as_json: Json = False,
) -> None:
    """Drift, calibration, expected performance and kept promises of the champion; alerts if the site has a webhook."""
    check_libgomp()
    place, name = open_served(site, state, target)
    from training.monitor.run import monitor as watch_once
    from training.monitor.webhook import Sender, open_webhook

    webhook = open_webhook(place.site)
    built = build_site(place, data, as_of)
    with err.status(f"watching {name} …"):
        found = watch_once(
            place.site,
            place.catalogue,
            name,
            state=place.state,
            now=built.as_of,
            end=built.data_end,
            sender=None if webhook is None else Sender(webhook, lambda: wall() // SECOND, time.sleep),
        )
    values, lines = found.to_json(), found.lines()
    if recalibrated:
        try:
            moved, words = _recalibrated(place, name, built, promoted=promoted)
        except SiteError as error:
            moved, words = {"faults": list(error.faults)}, [f"not recalibrated: {fault}" for fault in error.faults]
        values, lines = {**values, "recalibrated": moved}, [*lines, *words]
    print_answer(as_json, values, lines)
    for fault in found.faults:
        err.print(f"error: {fault}", markup=False, soft_wrap=True)
    if found.faults:
        raise typer.Exit(1)


@app.command()
def recalibrate(
    site: SiteFolder,
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    promoted: Promote = False,
    as_json: Json = False,
) -> None:
    """A new version of the champion whose offset follows the outcomes that came since; exit 1 with too few of them."""
    check_libgomp()
    place, name = open_served(site, state, target)
    built = build_site(place, data, as_of)
    values, lines = _recalibrated(place, name, built, promoted=promoted)
    print_answer(as_json, values, lines)


def _recalibrated(place: Place, name: str, built: Built, *, promoted: bool) -> tuple[dict[str, Any], list[str]]:
    from leadlight.commands.versions import decision_by
    from leadlight.registry import promote
    from training.gate import Signer
    from training.recalibrate import recalibrate as follow

    decision = decision_by(None)
    signer = Signer(decision.by, decision.at)
    with err.status(f"recalibrating {name} …"):
        found = follow(
            place.site, place.catalogue, name, state=place.state, now=built.as_of, end=built.data_end, signer=signer
        )
        lines = found.lines()
        if promoted and found.version is not None:
            promote(place.site, name, state=place.state, version=found.version, decision=decision)
            lines.append(f"{name}: version {found.version} is the champion")
        elif found.version is not None:
            lines.append(f"next: leadlight promote SITE {found.version} --target {name}")
    return {**found.to_json(), "promoted": promoted and found.version is not None}, lines
