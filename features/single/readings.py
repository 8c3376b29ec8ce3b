"""How each feature kind reads one value from the events that its entry selects within one window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from features.catalogue import (
    UNITS,
    ActiveDays,
    EventAge,
    EventsEntry,
    EventValue,
    Indicator,
    Preference,
    ShareOf,
)
from features.history import Value
from features.single.known import Events, label_of
from leadlight.schema import AMOUNT, DAY, HOUR, THOUSANDTHS, Micros, local_day

Read = Callable[[Events, Micros], Value]


def reading(entry: EventsEntry, rank: int, offset: Micros) -> Read:
    """How a column of ``entry`` is read from its events, given in their total order, and ``as_of``."""
    match entry:
        case Indicator():
            return _indicator(entry)
        case EventAge():
            edge, unit = edge_of(entry), UNITS[entry.unit]
            return lambda events, as_of: (as_of - events[edge].at) // unit if events else None
        case EventValue():
            return _amount_at(edge_of(entry)) if entry.of == AMOUNT else _label_at(edge_of(entry), entry.of)
        case Preference():
            return lambda events, _: _favourite(events, entry.of, rank)
        case ActiveDays():
            return lambda events, _: len({local_day(event.at, offset) for event in events})
        case ShareOf():
            return _share(entry, offset)
        case _:
            raise TypeError(entry)


def edge_of(entry: EventAge | EventValue) -> int:
    """The index of the event that a first or last entry looks at."""
    return 0 if entry.kind.startswith("first") else -1


def _indicator(entry: Indicator) -> Read:
    match entry.kind:
        case "count":
            return lambda events, _: len(events)
        case "sum":
            return lambda events, _: sum(_amounts(events)) / float(THOUSANDTHS)
        case "max":
            return lambda events, _: _units(max(_amounts(events), default=None))
        case "distinct":
            label = str(entry.of)
            return lambda events, _: len({label_of(event, label) for event in events} - {None})


def _amounts(events: Events) -> list[int]:
    return [event.amount for event in events if event.amount is not None]


def _units(thousandths: int | None) -> float | None:
    return None if thousandths is None else thousandths / float(THOUSANDTHS)


def _amount_at(edge: int) -> Read:
    def read(events: Events, _: Micros) -> Value:
        amounts = _amounts(events)
        return _units(amounts[edge]) if amounts else None

    return read


def _label_at(edge: int, label: str) -> Read:
    def read(events: Events, _: Micros) -> Value:
        ordered = events if edge == 0 else reversed(events)
        return next((value for event in ordered if (value := label_of(event, label)) is not None), None)

    return read


def _favourite(events: Events, label: str, rank: int) -> Value:
    counts = Counter(value for event in events if (value := label_of(event, label)) is not None)
    favourites = sorted((-count, value) for value, count in counts.items())
    return favourites[rank - 1][1] if len(favourites) >= rank else None


def _share(entry: ShareOf, offset: Micros) -> Read:
    if entry.hours is None:
        weekdays = frozenset(entry.weekdays)
        return lambda events, _: _ratio([_weekday(local_day(event.at, offset)) in weekdays for event in events])
    first, end = entry.hours
    return lambda events, _: _ratio([first <= (event.at + offset) % DAY // HOUR < end for event in events])


def _weekday(day: int) -> int:
    """The weekday of a local day number, 1 = Monday; 1970-01-01 was a Thursday."""
    return (day + 3) % 7 + 1


def _ratio(flags: list[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
