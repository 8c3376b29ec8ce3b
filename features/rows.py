"""The rows a build hands to Feast: the offline tables over every spine, and the online rows at the clock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as types
import pyarrow as pa
import pyarrow.parquet as pq

from features import context
from features.catalogue import Catalogue
from features.facts import Tables
from features.people import as_people
from features.relational import Evaluate
from features.spine import open_leads
from features.store import context_table, lead_table
from features.unchanged import LastRows, fingerprint_file, fingerprints
from leadlight.schema import AS_OF, CLOSED_AT, CONTEXT_KEY, DAY, LEAD_ID, ROW_AS_OF, ROW_CLOSED_AT, ROW_SEQ, Micros
from leadlight.settings import Site

if TYPE_CHECKING:
    from features.store.door import Store

_timestamp = ibis.udf.scalar.builtin(
    lambda micros: micros, name="make_timestamptz", signature=((types.int64,), types.Timestamp("UTC"))
)


def write_lead_rows(
    site: Site,
    catalogue: Catalogue,
    people: Tables,
    spine: ibis.Table,
    state: Path,
    *,
    evaluate: Evaluate,
    last: LastRows | None = None,
) -> int:
    """Write the lead columns of every moment of ``spine`` into Feast's offline lead table; return how many rows.

    Those of ``last`` that still hold are taken over. The fingerprints of all persons are written beside them.
    """
    facts = fingerprints(people).cache()
    file = fingerprint_file(state, site, catalogue)
    file.parent.mkdir(parents=True, exist_ok=True)
    facts.to_parquet(file)
    if last is None:
        rows = evaluate(catalogue, site, people, spine).mutate(**{ROW_AS_OF: ibis._[AS_OF]})
    else:
        held = last.holding(spine, facts).cache()
        rest = spine.select(LEAD_ID, AS_OF).anti_join(held, [LEAD_ID, AS_OF]).cache()
        rows = evaluate(catalogue, site, people, rest).mutate(**{ROW_AS_OF: ibis._[AS_OF]})
        rows = rows.union(held.select(*rows.columns))
    return _write_offline(rows.order_by(AS_OF, LEAD_ID), AS_OF, lead_table(state))


def write_context_rows(
    site: Site, catalogue: Catalogue, tables: Tables, moments: tuple[Micros, Micros], state: Path
) -> int:
    """Write the context columns of every closed day that the first to the last of ``moments`` see, if there are any."""
    if not catalogue.context_columns:
        return 0
    first, last = (newest_closed_day(site, moment) for moment in moments)
    rows = context.close(catalogue, site, tables, first, last).mutate(**{ROW_CLOSED_AT: ibis._[CLOSED_AT]})
    return _write_offline(rows.order_by(CLOSED_AT, CONTEXT_KEY), CLOSED_AT, context_table(state))


@dataclass(frozen=True)
class OnlineRows:
    """A row for every open lead at one moment, and the newest closed day of every context key, if there are any."""

    leads: pa.Table
    context: pa.Table | None


def online_rows(
    site: Site, catalogue: Catalogue, tables: Tables, *, as_of: Micros, row_seq: int, evaluate: Evaluate
) -> OnlineRows:
    """The online rows at ``as_of``: one for every person. ``row_seq`` says which facts they have read."""
    people = as_people(tables)
    rows = evaluate(catalogue, site, people, _open_to_any(site, people, as_of)).to_pyarrow()
    rows = rows.append_column(ROW_SEQ, pa.repeat(pa.scalar(row_seq, pa.int64()), len(rows)))
    if not catalogue.context_columns:
        return OnlineRows(rows, None)
    day = newest_closed_day(site, as_of)
    return OnlineRows(rows, context.close(catalogue, site, tables, day, day).to_pyarrow())


def write_online_rows(store: Store, rows: OnlineRows) -> None:
    """Put ``rows`` in place of all rows.

    A build may be of other facts, or of an earlier clock, than the last, so no row of that one may stay. Until the
    new ones are there a reader finds none and asks the log.
    """
    store.clear()
    store.write_leads(rows.leads)
    if rows.context is not None:
        store.write_context(rows.context)


def newest_closed_day(site: Site, as_of: Micros) -> int:
    """The last local day that had closed by ``as_of``."""
    return (as_of - context.closing(site, 0)) // DAY


def _open_to_any(site: Site, people: Tables, as_of: Micros) -> ibis.Table:
    targets = [open_leads(target, people, as_of=as_of) for target in site.targets.values()]
    return ibis.union(*(rows.select(LEAD_ID, AS_OF) for rows in targets), distinct=True)


def _write_offline(rows: ibis.Table, time: str, file: Path) -> int:
    """Feast joins on a timestamp, so ``time`` becomes one here."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows.mutate(**{time: _timestamp(rows[time])}).to_parquet(file)
    return int(pq.read_metadata(file).num_rows)
