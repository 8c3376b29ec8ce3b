"""Histories as tables of DuckDB, and the relational evaluator on Spark and on DuckDB over the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import ibis
import pyarrow as pa

from features.catalogue import Catalogue
from features.duck import connect
from features.facts import LeadFacts, Tables
from features.identity import Interval
from features.relational import Evaluate
from leadlight.schema import AS_OF, LEAD_ID, Micros
from leadlight.settings import Site
from tests.builders import create_tables, spine_table

BY_MOMENT = [(LEAD_ID, "ascending"), (AS_OF, "ascending")]


@dataclass(frozen=True)
class Past:
    """A history and a spine on DuckDB."""

    site: Site
    tables: Tables
    spine: ibis.Table

    def rows(self, evaluate: Evaluate, catalogue: Catalogue) -> pa.Table:
        """What ``evaluate`` says of the spine, by moment."""
        return evaluate(catalogue, self.site, self.tables, self.spine).to_pyarrow().sort_by(BY_MOMENT)


@contextmanager
def past_of(
    site: Site, leads: Iterable[LeadFacts], moments: Iterable[tuple[str, Micros]], identity: Iterable[Interval] = ()
) -> Iterator[Past]:
    """The past of ``leads`` over a connection that ends with the block."""
    connection = connect()
    try:
        spine = connection.create_table("spine", spine_table(moments))
        yield Past(site, create_tables(connection, site, leads, identity), spine)
    finally:
        connection.disconnect()
