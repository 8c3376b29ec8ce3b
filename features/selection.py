"""What the catalogue says about events, for both evaluators: which ones an entry looks at, and for how long."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from features.catalogue import Catalogue, EventsEntry
from leadlight.schema import Micros


@dataclass(frozen=True)
class Selection:
    """The events an entry looks at, whatever its window: entries with equal selections share the work."""

    kinds: frozenset[str]
    where: tuple[tuple[str, frozenset[str]], ...]
    amount_over: int | None

    @classmethod
    def of(cls, entry: EventsEntry) -> Selection:
        """The selection of ``entry``, in one canonical form."""
        where = tuple((label, frozenset(values)) for label, values in sorted(entry.where.items()))
        return cls(frozenset(entry.events), where, entry.amount_floor)


@dataclass(frozen=True)
class Relevance:
    """For how long an event can matter: the windows of the entries that use its kind, whatever else they ask of it."""

    reach: dict[str, Micros | None]
    """The largest window of each kind in use; ``None``: an event of this kind matters for ever."""
    shorter: dict[Micros, frozenset[str]]
    """Windows that an event leaves before it is out of its kind's reach, each with those kinds."""

    @classmethod
    def of(cls, catalogue: Catalogue) -> Relevance:
        """What the lead columns of ``catalogue`` say about each kind of event."""
        windows: defaultdict[str, set[Micros | None]] = defaultdict(set)
        for column in catalogue.lead_columns:
            for kind in column.entry.events if isinstance(column.entry, EventsEntry) else ():
                windows[kind].add(column.window)
        reach = {kind: _largest(windows[kind]) for kind in sorted(windows)}
        shorter: defaultdict[Micros, set[str]] = defaultdict(set)
        for kind, lengths in windows.items():
            for length in lengths - {None, reach[kind]}:
                if length is not None:
                    shorter[length].add(kind)
        return cls(reach, {length: frozenset(shorter[length]) for length in sorted(shorter)})


def _largest(windows: set[Micros | None]) -> Micros | None:
    lengths = [length for length in windows if length is not None]
    return max(lengths) if len(lengths) == len(windows) else None
