"""Stored rows kept exact while the server runs: after each write, when they expire, when a day closes.

They only make answers quick: a row that is missing, late or not to be had is evaluated from the past instead.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from features.rows import newest_closed_day
from leadlight.schema import AS_OF, LEAD_ID, ROW_SEQ, VALID_UNTIL, Micros
from serving.desk import Desk

EXPIRED_AT_ONCE = 200


def write_rows(desk: Desk, lead_ids: Iterable[str], as_of: Micros) -> None:
    """Evaluate the persons that these leads are anew at ``as_of``, or as soon as all their facts count, and store them.

    Leads that are merged into another have no row.
    """
    row_seq = desk.past.row_seq()  # before the facts are read: they hold at least what the log had then
    wanted = set(lead_ids)
    persons = {desk.past.person_of(lead_id) for lead_id in wanted}
    rows = []
    for lead_id, facts in desk.past.facts(persons).items():
        moment = max(as_of, desk.roster.members[lead_id].counts_from)
        row = desk.evaluate(facts, moment)
        rows.append({LEAD_ID: lead_id, AS_OF: moment, VALID_UNTIL: row.valid_until, ROW_SEQ: row_seq, **row.values})
    if rows:
        try:
            desk.store.write_leads(pa.Table.from_pylist(rows))
        finally:  # who was erased before this found no row to take out, or one that was not there yet
            if gone := desk.past.erased(persons):
                desk.store.delete_leads(gone)
    if wanted - persons:
        desk.store.delete_leads(wanted - persons)


def sweep(desk: Desk, as_of: Micros) -> int:
    """Evaluate anew the leads whose rows have expired the longest; how many there were."""
    expired = desk.store.expired(as_of, EXPIRED_AT_ONCE)
    known = [lead_id for lead_id in expired if lead_id in desk.roster.members]
    write_rows(desk, known, as_of)
    desk.store.delete_leads(set(expired) - set(known))
    return len(expired)


def close_day(desk: Desk, as_of: Micros, closed: int | None) -> int | None:
    """Store the context rows of the newest closed day unless ``closed`` is that day; which day it is."""
    if not desk.catalogue.context_columns:
        return None
    day = newest_closed_day(desk.site, as_of)
    if day != closed:
        desk.store.write_context(desk.contexts.rows(day))
    return day
