"""What is wrong with a catalogue that each entry for itself cannot know: names made twice, or of what is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from features.catalogue.entries import (
    AnyEntry,
    Column,
    ColumnType,
    Context,
    EventsEntry,
    EventValue,
    Indicator,
    Level,
    Preference,
)
from leadlight.schema import AMOUNT, LEAD_CREATED, RESERVED
from leadlight.settings import Site


def name_faults(columns: Iterable[Column]) -> Iterator[str]:
    """Columns that share a name, or have one of Leadlight's own."""
    for name, times in Counter(column.name for column in columns).items():
        if times > 1:
            yield f"feature column {name!r} is made {times} times: give the entries different names"
        if name in RESERVED:
            yield f"feature column {name!r} has a name of Leadlight's own: give the entry another"


def reference_faults(entries: Sequence[AnyEntry], site: Site) -> Iterator[str]:
    """Kinds, labels and columns that entries or targets name and that are not there."""
    columns = [column for entry in entries for column in entry.columns()]
    types = {c.name: c.type for c in columns if not isinstance(c.entry, Level | Context)}
    for entry in entries:
        if isinstance(entry, EventsEntry):
            yield from _kind_faults(entry.name, entry.events, site)
            yield from _label_faults(entry, site)
        elif isinstance(entry, Context):
            yield from _kind_faults(entry.name, [k for k in entry.events if k != LEAD_CREATED], site)
        elif isinstance(entry, Level):
            yield from _condition_faults(entry, types)
    known = {column.name for column in columns} | {entry.name for entry in entries}
    for target_name, target in site.targets.items():
        for name in sorted(set(target.exclude) - known):
            yield f"targets.{target_name}.exclude names {name!r}, which is no feature"


def _label_faults(entry: EventsEntry, site: Site) -> Iterator[str]:
    used = set(entry.where)
    if isinstance(entry, EventValue):
        used |= {entry.of} - {AMOUNT}
    elif isinstance(entry, Preference | Indicator) and entry.of is not None:
        used.add(entry.of)
    for label in sorted(used - set(site.labels)):
        yield f"feature {entry.name!r} uses label {label!r}; declared are: {', '.join(site.labels) or 'none'}"


def _condition_faults(entry: Level, types: Mapping[str, ColumnType]) -> Iterator[str]:
    for condition in (c for rule in entry.levels for c in rule.when):
        if condition.column not in types:
            yield f"feature {entry.name!r} asks for {condition.column!r}, no column of a non-level lead feature"
        elif (types[condition.column] == "str") != isinstance(condition.value, str):
            held = "text: write 'such'" if types[condition.column] == "str" else "a number"
            yield f"feature {entry.name!r} compares {condition.column!r} with {condition.value!r}; it holds {held}"


def _kind_faults(name: str, kinds: object, site: Site) -> Iterator[str]:
    for kind in kinds if isinstance(kinds, tuple | list) else ():
        if kind not in site.kinds:
            yield f"feature {name!r} counts kind {kind!r}, which leadlight.toml does not declare as [kinds.{kind}]"
