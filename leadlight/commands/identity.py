"""Who is who: what a reviewer sees and says, and the key that contacts are hashed with."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlight.commands.console import DataFolder, Json, SiteFolder, StateFolder, app, err, print_answer
from leadlight.commands.place import build_site, open_place, wall
from leadlight.schema import Micros, from_micros
from leadlight.settings import load_site

if TYPE_CHECKING:
    from features.identity.review import Review, Said

identity = typer.Typer(help="Who is who: propose, accept, split, held, key, rotate.", no_args_is_help=True)
app.add_typer(identity, name="identity")

Why = Annotated[str, typer.Option("--why", help="kept beside the decision: no contacts, no names")]


@identity.command()
def propose(
    site: SiteFolder,
    at_least: Annotated[float, typer.Option(min=0.01, max=0.999, help="only pairs of this probability")] = 0.8,
    state: StateFolder = None,
    as_json: Json = False,
) -> None:
    """Name leads that may be one person though they share no contact; it is you who accepts."""
    with err.status("comparing leads …"):
        found = _review(site, state).propose(at_least=at_least)
    lines = [f"{p.probability:.3f}  {p.lead_id}  {p.other_id}  {', '.join(p.agree)}" for p in found]
    print_answer(as_json, {"proposals": [asdict(pair) for pair in found]}, lines or ["no pair is that likely"])
    if found:
        err.print(
            f"Next: `leadlight identity accept {site} LEAD OTHER` for each that is one person",
            markup=False,
            soft_wrap=True,
        )


@identity.command()
def accept(
    site: SiteFolder,
    lead: Annotated[str, typer.Argument(metavar="LEAD")],
    other: Annotated[str, typer.Argument(metavar="OTHER")],
    why: Why = "",
    state: StateFolder = None,
    as_json: Json = False,
) -> None:
    """Two leads are one person, from now on; `split` takes it back."""
    from features.log import NewEdge

    _print_said(_review(site, state).say(NewEdge(lead, other, "same", "review", why), wall=wall()), as_json)


@identity.command()
def split(
    site: SiteFolder,
    lead: Annotated[str, typer.Argument(metavar="LEAD")],
    apart_from: Annotated[
        str | None, typer.Option("--from", metavar="OTHER", help="only from this lead (default: from everybody)")
    ] = None,
    why: Why = "",
    state: StateFolder = None,
    as_json: Json = False,
) -> None:
    """A lead is a person of its own from now on, whatever its contacts say; what was stays as it was."""
    from features.log import NewEdge

    _print_said(_review(site, state).say(NewEdge(lead, apart_from, "apart", "review", why), wall=wall()), as_json)


@identity.command()
def held(site: SiteFolder, state: StateFolder = None, as_json: Json = False) -> None:
    """List the merges that would make too large a person and so await a reviewer."""
    with err.status("looking who is who …"):
        found = _review(site, state).held()
    lines = [
        f"{each.lead_id}  {each.other_id}  share a contact ({each.type}) since {_moment(each.since)}: "
        f"one person of {each.leads} leads"
        for each in found
    ]
    values = [asdict(each) | {"since": _moment(each.since)} for each in found]
    print_answer(as_json, {"held": values}, lines or ["no merge awaits a reviewer"])


@identity.command()
def key(site: SiteFolder, state: StateFolder = None, as_json: Json = False) -> None:
    """Make the key that contacts are hashed with, if there is none; it is never shown."""
    from features.identity.key import VARIABLE, key_file, make_key, needed_key

    place = open_place(site, state)
    from_environment = bool(os.environ.get(VARIABLE))
    found = needed_key(place.site, place.state, os.environ) if from_environment else make_key(place.state)
    where = VARIABLE if from_environment else str(key_file(place.state))
    words = f"contacts are hashed with key {found.name}, in {where}"
    print_answer(as_json, {"key": found.name, "where": where}, [words])
    if not from_environment:
        err.print(
            "Keep a copy in a safe place: without it no new lead is recognised as one of the old.", soft_wrap=True
        )


@identity.command()
def rotate(site: SiteFolder, data: DataFolder = None, state: StateFolder = None, as_json: Json = False) -> None:
    """Add a new secret to the key, take the stored contacts to it, and build the base anew."""
    from features.identity.rotation import rekey_segments
    from features.log.rekeying import rotate as add_and_follow
    from leadlight.database import open_database

    place = open_place(site, state)
    with err.status("hashing contacts …"):
        database = open_database(place.site, place.state)
        done = add_and_follow(place.site, place.state, os.environ, database, wall=wall())
        rekey_segments(place.state, done.key)
    build_site(place, data)
    words = f"contacts are hashed with key {done.key.name}; {done.contacts:,} live ones were taken to it"
    print_answer(as_json, {"key": done.key.name, "contacts": done.contacts}, [words])
    words = "Next: start the servers anew, then rotate once more if leads came in meanwhile: it only finishes this."
    err.print(words, soft_wrap=True)


def _review(site: Path, state: Path | None) -> Review:
    from features.history import open_history
    from features.identity.review import Review
    from features.log import Log
    from leadlight.database import open_database

    loaded, folder = load_site(site), (state or site / "state").resolve()
    base = open_history(folder)
    return Review(loaded, base, Log(open_database(loaded, folder)))


def _print_said(said: Said, as_json: bool) -> None:
    since = _moment(said.arrived_at)
    lines = [f"{lead}: one person with {', '.join(x for x in leads if x != lead)}" for lead, leads in _together(said)]
    lines += [f"{lead}: a person of its own" for lead, leads in said.persons.items() if len(leads) == 1]
    heading = f"from {since} on:" if said.is_new else "said before; as it stands:"
    values = {
        "new": said.is_new,
        "since": since,
        "persons": {lead: list(leads) for lead, leads in said.persons.items()},
    }
    print_answer(as_json, values, [heading, *lines])


def _together(said: Said) -> list[tuple[str, tuple[str, ...]]]:
    return [(lead, leads) for lead, leads in said.persons.items() if len(leads) > 1]


def _moment(moment: Micros) -> str:
    return from_micros(moment).isoformat()
