"""Versions of a model: who serves, who served, and how to go back."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

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
from leadlight.commands.place import open_built, open_place, wall
from leadlight.settings import UsageError

if TYPE_CHECKING:
    from leadlight.registry import Decision
    from leadlight.shelf import Champion

VersionNumber = Annotated[int | None, typer.Argument(help="the last trained by default")]
By = Annotated[str | None, typer.Option("--by", help="who decides this (default: the login name)")]


@app.command()
def promote(
    site: SiteFolder,
    version: VersionNumber = None,
    target: TargetName = None,
    state: StateFolder = None,
    by: By = None,
    challenger: Annotated[
        bool, typer.Option("--challenger", help="let it score in the champion's shadow, and tell nobody its answers")
    ] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="let nobody score in the shadow any more")] = False,
    as_json: Json = False,
) -> None:
    """Make a version the champion, if and only if its verdict is promote; exit 1 with the failed rules otherwise."""
    if withdraw and (challenger or version is not None):
        raise UsageError(["--withdraw goes alone: it takes away whichever challenger there is"])
    place = open_place(site, state)
    name, _ = place.site.target(target)
    from leadlight.registry import challenge, promotion

    decision = decision_by(by)
    if withdraw:
        gone = promotion.withdraw(place.site, name, state=place.state, decision=decision)
        _tell(as_json, name, gone, f"version {gone.version} is the challenger no more")
    elif challenger:
        named = challenge(place.site, name, state=place.state, decision=decision, version=version)
        _tell(as_json, name, named, f"version {named.version} is the challenger")
    else:
        named = promotion.promote(place.site, name, state=place.state, decision=decision, version=version)
        _tell(as_json, name, named, f"version {named.version} is the champion")


@app.command()
def rollback(
    site: SiteFolder,
    version: Annotated[int | None, typer.Argument(help="the champion before this one by default")] = None,
    target: TargetName = None,
    state: StateFolder = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Let a version that was champion before serve again; a running server takes it up by itself."""
    place = open_place(site, state)
    name, _ = place.site.target(target)
    from leadlight import registry

    named = registry.rollback(place.site, name, state=place.state, decision=decision_by(by), version=version)
    _tell(as_json, name, named, f"version {named.version} is the champion again")


@app.command()
def history(
    site: SiteFolder,
    target: TargetName = None,
    state: StateFolder = None,
    as_json: Json = False,
) -> None:
    """Every version with its verdict and numbers, and who made it champion or challenger when."""
    place = open_place(site, state)
    name, _ = place.site.target(target)
    from leadlight.registry import versions

    found = versions(place.state, name)
    lines = [line for version in found for line in version.lines()]
    values = {"target": name, "versions": [version.to_json() for version in found]}
    print_answer(as_json, values, lines or [f"{name}: no version yet; run `leadlight train`"])


@app.command()
def compare(  # noqa: PLR0913 - each is an option of the command line
    site: SiteFolder,
    first: Annotated[int, typer.Argument(help="a version, such as the champion")],
    second: Annotated[int, typer.Argument(help="the version to hold against it")],
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    html: HtmlPage = None,
    as_json: Json = False,
) -> None:
    """Two versions on later rows that neither learned from: metrics, curves, slices, and who would change grade."""
    check_page(html)
    place, name = open_built(site, state, target, data, as_of)
    from training.compare import compare as compare_versions

    with err.status(f"comparing version {first} and {second} …"):
        found = compare_versions(place.site, place.catalogue, name, (first, second), state=place.state)
    print_answer(as_json, found.to_json(), found.lines())
    print_page(html, found.page)


def decision_by(by: str | None) -> Decision:
    """This moment's decision, by whoever is named or logged in."""
    from leadlight.registry import Decision

    return Decision(wall(), by or _login())


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"


def _tell(as_json: bool, target: str, named: Champion, words: str) -> None:
    values = {"target": target, "version": named.version, "bundle_sha256": named.bundle_sha256}
    print_answer(as_json, values, [f"{target}: {words}"])
