"""Which events count at which moment: the join of spine and log, cut by what was known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ibis

from features.catalogue import ActiveDays, Catalogue, Entry, EventsEntry, EventValue, Indicator, Preference, ShareOf
from features.relational.rows import KEYS, floor_div, floor_mod
from features.selection import Relevance, Selection
from leadlight.schema import AMOUNT, ARRIVED_AT, AS_OF, AT, DAY, EVENT_ID, FOREVER, HOUR, KIND, LEAD_ID, UNTIL, Micros

ENTERS = "_enters"
GONE = "_gone"
LOCAL_DAY = "_day"


def selected(entry: Entry) -> str:
    """The flag column that says whether ``entry`` selects the event."""
    return f"_of_{entry.name}"


def part(entry: ShareOf) -> str:
    """The flag column that says whether the event lies in the part of the week or day that ``entry`` asks for."""
    return f"_part_{entry.name}"


def within(window: Micros) -> str:
    """The flag column that says whether the event lies in ``window``; all known ones lie before ``as_of``."""
    return f"_within_{window}"


def leaving(window: Micros) -> str:
    """The flag column that says whether the event's kind is counted within ``window``, and within a longer one."""
    return f"_leaves_{window}"


def visible_events(catalogue: Catalogue, offset: Micros, events: ibis.Table) -> ibis.Table:
    """The events that some entry can ever see: when each enters and is gone for good, and which entries select it.

    All that depends on the event alone is worked out here, once an event, before the join multiplies it.
    """
    relevance = Relevance.of(catalogue)
    entries = [entry for entry in catalogue.feature if isinstance(entry, EventsEntry)]
    kind, at = events[KIND], events[AT]
    lengths = sorted({length for length in relevance.reach.values() if length is not None})
    out_of_reach = [(_is_one_of(kind, _kinds_of_reach(relevance, length)), at + (length + 1)) for length in lengths]
    leaves = ibis.cases(*out_of_reach, else_=FOREVER) if out_of_reach else FOREVER
    flags = {
        **{selected(entry): _selects(events, Selection.of(entry)) for entry in entries},
        **{part(entry): _in_part(at + offset, entry) for entry in entries if isinstance(entry, ShareOf)},
        **{leaving(window): _is_one_of(kind, sorted(kinds)) for window, kinds in relevance.shorter.items()},
    }
    days = {LOCAL_DAY: floor_div(at + offset, DAY)} if any(isinstance(entry, ActiveDays) for entry in entries) else {}
    seen = events.filter(_is_one_of(kind, relevance.reach)).select(
        *_columns_read(entries),
        **{
            ENTERS: ibis.greatest(at + 1, events[ARRIVED_AT]),
            GONE: ibis.least(events[UNTIL].fill_null(FOREVER), leaves),
        },
        **flags,
        **days,
    )
    return seen.filter(seen[ENTERS] < seen[GONE])


def known_events(catalogue: Catalogue, visible: ibis.Table, moments: ibis.Table) -> ibis.Table:
    """One row per moment and event that counts there, flagged with the windows that the event lies in."""
    counts = [visible[ENTERS] <= moments[AS_OF], moments[AS_OF] < visible[GONE]]
    known = moments.join(visible, [LEAD_ID, *counts])
    windows = sorted({column.window for column in catalogue.lead_columns if column.window is not None})
    return known.mutate(**{within(window): known[AT] >= known[AS_OF] - window for window in windows})


def next_entering(visible: ibis.Table, moments: ibis.Table) -> ibis.Table:
    """Per moment with such an event: when the next event enters."""
    pending = moments.join(visible.select(LEAD_ID, ENTERS), [LEAD_ID, visible[ENTERS] > moments[AS_OF]])
    return pending.group_by(KEYS).aggregate(**{ENTERS: pending[ENTERS].min()})


def _kinds_of_reach(relevance: Relevance, length: Micros) -> list[str]:
    return [kind for kind, reach in relevance.reach.items() if reach == length]


def _selects(events: ibis.Table, selection: Selection) -> ibis.Value:
    conditions = [_is_one_of(events[KIND], sorted(selection.kinds))]
    conditions += [_is_one_of(events[label], sorted(values)) for label, values in selection.where]
    if selection.amount_over is not None:
        conditions.append(events[AMOUNT] > selection.amount_over)
    return ibis.and_(*conditions)


def _is_one_of(cell: ibis.Value, allowed: Iterable[int | str]) -> ibis.Value:
    """``cell.isin(allowed)``, which DuckDB would answer by a join for each such list."""
    return ibis.or_(*(cell == value for value in allowed))


def _in_part(local: ibis.Value, entry: ShareOf) -> ibis.Value:
    if entry.hours is not None:
        first, end = entry.hours
        time_of_day = floor_mod(local, DAY)
        return (time_of_day >= first * HOUR) & (time_of_day < end * HOUR)
    weekday = floor_mod(floor_div(local, DAY) + 3, 7) + 1  # 1 = Monday; 1970-01-01 was a Thursday
    return _is_one_of(weekday, entry.weekdays)


def _columns_read(entries: Sequence[EventsEntry]) -> list[str]:
    """The columns of the log that the entries read after the join: the fewer, the faster."""
    labels = {entry.of for entry in entries if isinstance(entry, EventValue | Preference | Indicator) and entry.of}
    order = (EVENT_ID, ARRIVED_AT) if any(isinstance(entry, EventValue) for entry in entries) else ()
    return list(dict.fromkeys([LEAD_ID, AT, *order, AMOUNT, *sorted(labels)]))
