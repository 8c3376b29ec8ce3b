"""One site opened for one command. Nothing else of Leadlight reads the wall clock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.commands.console import EngineName, err
from leadlight.schema import Micros, to_micros
from leadlight.settings import Site, UsageError, load_site
from leadlight.shelf import named_champion

if TYPE_CHECKING:
    from features.build import Built
    from features.catalogue import Catalogue


@dataclass(frozen=True)
class Place:
    """One site opened for one command."""

    site: Site
    catalogue: Catalogue
    state: Path


def open_place(folder: Path, state: Path | None) -> Place:
    from features.catalogue import load_catalogue

    site = load_site(folder)
    return Place(site, load_catalogue(site), (state or folder / "state").resolve())


def open_served(folder: Path, state: Path | None, target: str | None) -> tuple[Place, str]:
    """The site opened and the target's name; without a champion there is nothing to build for."""
    place = open_place(folder, state)
    name, _ = place.site.target(target)
    named_champion(place.state, name)
    return place, name


def open_built(
    folder: Path,
    state: Path | None,
    target: str | None,
    data: Path | None,
    as_of: str | None = None,
    engine: EngineName = "duckdb",
) -> tuple[Place, str]:
    """The site opened and built, and the name of the target asked for."""
    place = open_place(folder, state)
    name, _ = place.site.target(target)
    build_site(place, data, as_of, engine)
    return place, name


def build_site(place: Place, data: Path | None, as_of: str | None = None, engine: EngineName = "duckdb") -> Built:
    from features.build import build as build_features

    folder, moment = data_folder(place, data), parse_moment(as_of, place.site)
    with err.status("building features …"):
        built = build_features(
            place.site, place.catalogue, state=place.state, data=folder, as_of=moment, wall=wall(), engine=engine
        )
    _memory(place).write_text(str(folder), encoding="utf-8")
    return built


def data_folder(place: Place, given: Path | None) -> Path:
    """The raw files: as given, else as last given, else the site's made data, drawn once."""
    if given is None and _memory(place).is_file():
        return Path(_memory(place).read_text(encoding="utf-8"))
    if given is None and place.site.sample is None:
        raise UsageError([f"{place.site.folder.name}: give the folder of the raw files with --data DIR"])
    folder = given.resolve() if given else place.state.with_name(f"{place.state.name}-made-data")
    if given is None and place.site.sample and not folder.exists():
        from leadlight.sample import draw

        with err.status("drawing made data …"):
            draw(folder, leads=place.site.sample.leads, seed=place.site.sample.seed)
    return folder


def _memory(place: Place) -> Path:
    """Where the folder of the last build's raw files is remembered."""
    return place.state / "data_folder"


def parse_moment(text: str | None, site: Site) -> Micros | None:
    """``--as-of`` as microseconds; a moment without a zone is the site's local time."""
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError([f"--as-of {text!r} is not a moment such as 2025-03-01T09:00"]) from error
    zone = dt.timezone(dt.timedelta(microseconds=site.offset))
    asked = to_micros(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    if asked > wall():
        raise UsageError([f"--as-of {text!r} lies in the future: nothing is known of it"])
    return asked


def wall() -> Micros:
    return to_micros(dt.datetime.now(tz=dt.UTC))
