"""Which events count at which moment: the join of spine and log, cut by what was known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ibis

from features.catalogue import Catalogue, Entry, EventsEntry, EventValue, ShareOf
from features.relational.rows import floor_div, floor_mod
from features.selection import Relevance, Selection
from leadlight.schema import AMOUNT, ARRIVED_AT, AS_OF, AT, DAY, EVENT_ID, FOREVER, HOUR, KIND, LEAD_ID, UNTIL, Micros

CHANGES = "_changes"
DAYS_AGO = "_days_ago"
PAST = "_past"
_DAY = "_day"
_ENTERS = "_enters"
_GONE = "_gone"
_TODAY = "_today"


def selected(entry: Entry) -> str:
    """The flag column that says whether ``entry`` selects the event."""
    return f"_of_{entry.name}"


def part(entry: ShareOf) -> str:
    """The flag column that says whether the event lies in the part of the week or day that ``entry`` asks for."""
    return f"_part_{entry.name}"


def within(window: Micros | None) -> str:
    """The flag column that says whether the event is known and lies in ``window``; ``None``: whether it is known."""
    return PAST if window is None else f"_within_{window}"


def seen_events(catalogue: Catalogue, offset: Micros, events: ibis.Table, moments: ibis.Table) -> ibis.Table:
    """One row per moment and event that counts there or will.

    ``PAST`` says which of these it is, the flags of ``within`` in which windows a known one lies, ``DAYS_AGO`` on which
    local day it was, and ``CHANGES`` when it enters, leaves a window that its kind is counted in, or is gone.
    """
    relevance = Relevance.of(catalogue)
    events = _visible_events(catalogue, relevance, offset, events)
    moments = moments.mutate(**{_TODAY: floor_div(moments[AS_OF] + offset, DAY)})
    pairs = moments.join(events, [LEAD_ID, moments[AS_OF] < events[_GONE]])
    windows = sorted({column.window for column in catalogue.lead_columns if column.window is not None})
    past = pairs[_ENTERS] <= pairs[AS_OF]
    seen = pairs.mutate(
        **{PAST: past, DAYS_AGO: (pairs[_TODAY] - pairs[_DAY]).cast("int32")},
        **{within(window): past & (pairs[AT] >= pairs[AS_OF] - window) for window in windows},
    )
    # A window is shorter than the next, so the first that an event is counted in and lies in is left first.
    leaving = [(seen[_leaves(window)] & seen[within(window)], seen[AT] + (window + 1)) for window in relevance.shorter]
    changes = ibis.least(seen[_GONE], ibis.cases((~seen[PAST], seen[_ENTERS]), *leaving, else_=FOREVER))
    return seen.mutate(**{CHANGES: changes})


def known_values(
    events: ibis.Table, selection: Selection, by: str, reach: Micros | None, moments: ibis.Table
) -> ibis.Table:
    """One row per moment and selected event, known there and within ``reach``, that has a value of the label ``by``."""
    chosen = events.filter(events[by].notnull() & _selects(events, selection))
    leaves = FOREVER if reach is None else chosen[AT] + (reach + 1)
    valued = chosen.select(LEAD_ID, AT, by, **_stay(chosen, leaves))
    return moments.join(valued, [LEAD_ID, valued[_ENTERS] <= moments[AS_OF], moments[AS_OF] < valued[_GONE]])


def _leaves(window: Micros) -> str:
    """The flag column that says whether the event's kind is counted within ``window``, and within a longer one."""
    return f"_leaves_{window}"


def _visible_events(catalogue: Catalogue, relevance: Relevance, offset: Micros, events: ibis.Table) -> ibis.Table:
    """The events that some entry can ever see: when each enters and is gone for good, and which entries select it.

    All that depends on the event alone is worked out here, once an event, before the join multiplies it.
    """
    entries = [entry for entry in catalogue.feature if isinstance(entry, EventsEntry)]
    kind, at = events[KIND], events[AT]
    lengths = sorted({length for length in relevance.reach.values() if length is not None})
    out_of_reach = [(_is_one_of(kind, _kinds_of_reach(relevance, length)), at + (length + 1)) for length in lengths]
    leaves = ibis.cases(*out_of_reach, else_=FOREVER) if out_of_reach else FOREVER
    flags = {
        **{selected(entry): _selects(events, Selection.of(entry)) for entry in entries},
        **{part(entry): _in_part(at + offset, entry) for entry in entries if isinstance(entry, ShareOf)},
        **{_leaves(window): _is_one_of(kind, sorted(kinds)) for window, kinds in relevance.shorter.items()},
    }
    visible = events.filter(_is_one_of(kind, relevance.reach)).select(
        *_columns_read(entries),
        **_stay(events, leaves),
        **{_DAY: floor_div(at + offset, DAY)},
        **flags,
    )
    return visible.filter(visible[_ENTERS] < visible[_GONE])


def _stay(events: ibis.Table, leaves: ibis.Value | Micros) -> dict[str, ibis.Value]:
    """When an event enters, and when it is gone: superseded, or out of every window."""
    return {
        _ENTERS: ibis.greatest(events[AT] + 1, events[ARRIVED_AT]),
        _GONE: ibis.least(events[UNTIL].fill_null(FOREVER), leaves),
    }


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
    valued = [entry for entry in entries if isinstance(entry, EventValue)]
    order = (EVENT_ID, ARRIVED_AT) if valued else ()
    return list(dict.fromkeys([LEAD_ID, AT, *order, AMOUNT, *sorted(entry.of for entry in valued)]))
