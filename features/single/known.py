"""Which of a lead's events count at a moment, and when that changes next."""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Sequence

from features.history import Event
from features.selection import Relevance, Selection
from leadlight.schema import FOREVER, Micros

Events = Sequence[Event]
Matches = Callable[[Event], bool]


def known_events(events: Events, relevance: Relevance, as_of: Micros) -> tuple[list[Event], Micros]:
    """The events that count at ``as_of``, in their total order, and when these, or those in a window, change next."""
    known = []
    change = FOREVER
    for event in events:
        if event.kind not in relevance.reach:
            continue
        reach = relevance.reach[event.kind]
        enters = max(event.at + 1, event.arrived_at)
        gone = FOREVER if event.until is None else event.until
        if reach is not None:
            gone = min(gone, event.at + reach + 1)
        if enters <= as_of < gone:
            known.append(event)
            change = min(change, gone)
        elif as_of < enters < gone:
            change = min(change, enters)
    known.sort(key=operator.attrgetter("at", "event_id", "arrived_at"))
    return known, min(change, _next_leaving(known, relevance, as_of))


def matcher(selection: Selection) -> Matches:
    """``selection`` as a test of one event."""
    kinds, where, amount_over = selection.kinds, selection.where, selection.amount_over

    def matches(event: Event) -> bool:
        return (
            event.kind in kinds
            and (amount_over is None or (event.amount is not None and event.amount > amount_over))
            and all(label_of(event, label) in values for label, values in where)
        )

    return matches if where or amount_over is not None else lambda event: event.kind in kinds


def label_of(event: Event, label: str) -> str | None:
    """The value of one label column; a kind without that label has none."""
    return None if event.labels is None else event.labels.get(label)


def _next_leaving(known: Events, relevance: Relevance, as_of: Micros) -> Micros:
    """When the next of the ordered ``known`` events leaves one of its kind's windows."""
    change = FOREVER
    for window, kinds in relevance.shorter.items():
        start = bisect_left(known, as_of - window, key=operator.attrgetter("at"))
        oldest = next((event.at for event in known[start:] if event.kind in kinds), None)
        if oldest is not None:
            change = min(change, oldest + window + 1)
    return change
