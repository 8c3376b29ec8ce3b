"""Who was who among all leads of a site, from its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from features.identity.components import intervals
from features.identity.contacts import HASH, HASHED, TYPE
from features.identity.evidence import GLUES, Edge, Evidence, Held, Interval
from leadlight.schema import CANONICAL_ID, CREATED_AT, LEAD_ID, SINCE, UNTIL
from leadlight.settings import Identity

if TYPE_CHECKING:
    from collections.abc import Sequence

IDENTITY = pa.schema([(LEAD_ID, pa.string()), (CANONICAL_ID, pa.string()), (SINCE, pa.int64()), (UNTIL, pa.int64())])
"""The columns of the identity table."""


def identity_table(
    contacts: ibis.Table, leads: ibis.Table, edges: Sequence[Edge], rules: Identity
) -> tuple[pa.Table, tuple[Held, ...]]:
    """The identity table of all leads that were ever merged, by lead and time, and the merges that await a reviewer.

    contacts: ``HASHED``. leads: ``lead_id`` and ``created_at``. Most leads share nothing and never leave the tables.
    """
    sharing = _sharing(contacts, edges)
    evidence = contacts.filter(contacts[TYPE].isin(GLUES)).semi_join(sharing, LEAD_ID).select(*HASHED.names)
    created = leads.semi_join(sharing, LEAD_ID).select(LEAD_ID, CREATED_AT).to_pyarrow()
    shown = evidence.to_pyarrow()
    people = intervals(
        map(Evidence._make, zip(*(shown[name].to_pylist() for name in HASHED.names), strict=True)),
        edges,
        dict(zip(created[LEAD_ID].to_pylist(), created[CREATED_AT].to_pylist(), strict=True)),
        rules,
    )
    columns = zip(*people.intervals, strict=True) if people.intervals else [[] for _ in Interval._fields]
    arrays = [pa.array(column, kind.type) for column, kind in zip(columns, IDENTITY, strict=True)]
    return pa.Table.from_arrays(arrays, schema=IDENTITY), people.held


def _sharing(contacts: ibis.Table, edges: Sequence[Edge]) -> ibis.Table:
    """The leads that share a contact, or that a reviewer named."""
    gluing = contacts.filter(contacts[TYPE].isin(GLUES))
    holders = gluing.group_by(TYPE, HASH).agg(leads=gluing[LEAD_ID].nunique())
    sharing = gluing.semi_join(holders.filter(holders["leads"] > 1), [TYPE, HASH]).select(LEAD_ID)
    named = {lead for edge in edges for lead in (edge.lead_id, edge.other_id) if lead is not None}
    if named:
        sharing = sharing.union(ibis.memtable(pa.table({LEAD_ID: pa.array(sorted(named), pa.string())})))
    return sharing.distinct()
