"""A site with a base of leads that showed contacts, and an empty log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from features.duck import connect
from features.facts import Version
from features.history import open_history, publish, write_history
from features.identity import HASHED, Evidence, identity_table
from features.identity.review import Review
from features.log import Log
from leadlight.database import open_database
from leadlight.settings import Site
from tests.builders import create_tables, lead


def write_base(site: Site, state: Path, evidence: Iterable[Evidence], cities: Mapping[str, str]) -> None:
    """A base of one lead for each of ``cities``, created in the order of their names; a contact of each is shown."""
    leads = [
        lead(name, created_at=moment, contact=f"13{moment % 10}****{moment:04}", versions=(_of(city, moment),))
        for moment, (name, city) in enumerate(sorted(cities.items()), 1)
    ]
    connection = connect()
    tables = create_tables(connection, site, leads)
    shown = pa.Table.from_pylist([each._asdict() for each in evidence], HASHED)
    contacts = connection.create_table("shown", shown)
    people, _ = identity_table(contacts, tables.leads, [], site.identity)
    identity = connection.create_table("people", people)
    publish(write_history(replace(tables, contacts=contacts, identity=identity), connection, state), state)


def _of(city: str, moment: int) -> Version:
    return Version(moment, moment, {"channel": "sem", "city": city, "budget": None})


def open_review(site: Site, state: Path) -> Review:
    return Review(site, open_history(state), Log(open_database(site, state)))
