"""The catalogue as one relational expression over many leads and moments: what training reads, and bulk scoring.

Means exactly what ``features.single`` means, bit for bit. Built from ibis alone, with nothing that only DuckDB knows,
so that the same expression compiles for Spark.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis

from features.catalogue import Catalogue, EventsEntry
from features.history import Tables
from features.relational.attributes import with_ages, with_attributes
from features.relational.events import with_events
from features.relational.known import seen_events
from features.relational.levels import with_levels
from features.relational.rows import KEYS
from features.relational.values import with_values
from leadlight.schema import FOREVER, VALID_UNTIL
from leadlight.settings import Site

Evaluate = Callable[[Catalogue, Site, Tables, ibis.Table], ibis.Table]


def evaluate(catalogue: Catalogue, site: Site, tables: Tables, spine: ibis.Table) -> ibis.Table:
    """One row per distinct ``(lead_id, as_of)`` of ``spine``: these, ``valid_until``, then the lead columns in order.

    Types: ``int`` is int64, ``float`` float64, ``str`` string; missing is null. ``SiteError`` if an entry reads an
    attribute that the history does not hold in that type. Nothing is computed before the expression is executed.
    """
    moments = spine.select(*KEYS).distinct()
    rows = moments.mutate(**{VALID_UNTIL: ibis.literal(FOREVER, "int64")})
    rows = with_attributes(rows, moments, catalogue, tables.attributes)
    rows = with_ages(rows, catalogue, tables.leads)
    if any(isinstance(entry, EventsEntry) for entry in catalogue.feature):
        rows = with_events(rows, seen_events(catalogue, site.offset, tables.events, moments), catalogue)
        rows = with_values(rows, catalogue, site.offset, tables.events, moments)
    rows = with_levels(rows, catalogue)
    return rows.select(*KEYS, VALID_UNTIL, *(column.name for column in catalogue.lead_columns))
