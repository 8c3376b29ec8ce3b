"""Which lead rows of the last build still hold: those of persons of whom all facts are the same.

A row depends on nothing but its moment, the catalogue, the site's days and the facts of one person. So a build
evaluates only new moments and persons of whom something changed, and finds what it would find by evaluating all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import ibis

from features.catalogue import Catalogue
from features.facts import Tables
from features.store import lead_table
from leadlight.schema import AS_OF, LEAD_ID, ROW_AS_OF
from leadlight.settings import Site

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

FORMAT = 1
"""Raised whenever a lead's row is another for the same facts, so that no row is taken over."""

_FACTS, _FINGERPRINT = "facts", "fingerprint"


@dataclass(frozen=True)
class LastRows:
    """The lead rows of the last build, and the fingerprints of the persons they are of, as tables."""

    rows: ibis.Table
    fingerprints: ibis.Table

    def holding(self, spine: ibis.Table, people: ibis.Table) -> ibis.Table:
        """The rows at moments of ``spine`` of those ``people`` (fingerprints) who are the same."""
        same = people.semi_join(self.fingerprints, people.columns)
        rows = self.rows.mutate(**{AS_OF: self.rows[ROW_AS_OF]})
        return rows.semi_join(same, LEAD_ID).semi_join(spine, [LEAD_ID, AS_OF])


def last_rows(state: Path, connection: Backend, site: Site, catalogue: Catalogue) -> LastRows | None:
    """What the last build left in ``state``, if it evaluated the same columns in the same way."""
    files = lead_table(state), fingerprint_file(state, site, catalogue)
    if not all(file.is_file() for file in files):
        return None
    return LastRows(*(connection.read_parquet(str(file)) for file in files))


def fingerprint_file(state: Path, site: Site, catalogue: Catalogue) -> Path:
    """Beside the lead rows; its name says how they were evaluated."""
    made_by = f"{FORMAT} {catalogue.hash} {site.offset} {duckdb.__version__}"
    return lead_table(state).with_name(f"facts-{hashlib.sha256(made_by.encode()).hexdigest()[:16]}.parquet")


def fingerprints(people: Tables) -> ibis.Table:
    """Of each person how many facts there are, and a 64-bit hash of them all, whatever their order."""
    facts = ibis.union(*_hashed(people))
    return facts.group_by(LEAD_ID).agg(**{_FACTS: facts.count(), _FINGERPRINT: facts[_FINGERPRINT].bit_xor()})


def _hashed(people: Tables) -> Iterator[ibis.Table]:
    for table in (people.leads, people.attributes, people.events):
        fact = ibis.struct({name: table[name] for name in table.columns})
        yield table.select(LEAD_ID, **{_FINGERPRINT: fact.hash()})
