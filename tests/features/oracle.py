"""What a catalogue means, told a second time: slow and plain, from the facts as sources delivered them.

Nothing here comes from the evaluators. Every value looks at every fact there is, so that nothing can be wrong but the
definition. Entries are as in ``catalogue.toml``.
"""

from __future__ import annotations

import ast
import datetime as dt
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SECONDS = {"h": 3600, "d": 86_400}
Entry = Mapping[str, Any]
Partition = list[list[str]]


@dataclass(frozen=True)
class Delivered:
    """One version of an event, as a source delivered it. Moments are µs."""

    event_id: str
    lead_id: str
    kind: str
    at: int
    arrived_at: int
    amount: int | None
    labels: Mapping[str, str | None]


@dataclass(frozen=True)
class Stated:
    """What was stated of a lead, from ``at``."""

    lead_id: str
    at: int
    arrived_at: int
    values: Mapping[str, str | float | None]


@dataclass
class World:
    """All that ever happened; ``persons`` says from which moments on which leads are one person, the others none."""

    created: dict[str, int] = field(default_factory=dict)
    events: dict[str, list[Delivered]] = field(default_factory=dict)
    stated: dict[str, list[Stated]] = field(default_factory=dict)
    persons: dict[str, list[tuple[int, Partition]]] = field(default_factory=dict)
    """By lead: of the leads that are ever together with it."""


def members(world: World, lead_id: str, as_of: int) -> list[str]:
    """The leads that are one person with this one."""
    together = [lead_id]
    for since, partition in world.persons.get(lead_id, []):
        if since <= as_of:
            together = next((list(each) for each in partition if lead_id in each), [lead_id])
    return together


def is_named_after(world: World, lead_id: str, as_of: int) -> bool:
    """Whether a person is named after this lead: its oldest."""
    return lead_id == min(members(world, lead_id, as_of), key=lambda each: (world.created[each], each))


def row(entries: Sequence[Entry], world: World, lead_id: str, as_of: int, zone: dt.timezone) -> dict[str, Any]:
    """Every column of the entries for the person named after a lead."""
    events = [event for each in members(world, lead_id, as_of) for event in known_events(world, each, as_of)]
    events.sort(key=lambda event: (event.at, event.event_id))
    version = known_version(world, lead_id, as_of)
    values: dict[str, Any] = {}
    for entry in entries:
        if entry["kind"] == "attribute":
            values[entry["name"]] = version.values[entry["column"]] if version else None
        elif entry["kind"] == "age":
            created = world.created[lead_id]
            values[entry["name"]] = whole_units(as_of - created, entry) if created < as_of else None
        elif entry["kind"] == "level":
            values[entry["name"]] = level(entry, values)
        else:
            values |= of_events(entry, events, as_of, zone)
    return values


def known_events(world: World, lead_id: str, as_of: int) -> list[Delivered]:
    """Of each event the version that arrived last by now, if it had happened by then."""
    newest: dict[str, Delivered] = {}
    for event in world.events.get(lead_id, []):
        if event.arrived_at <= as_of and (
            event.event_id not in newest or newest[event.event_id].arrived_at < event.arrived_at
        ):
            newest[event.event_id] = event
    return [event for event in newest.values() if event.at < as_of]


def known_version(world: World, lead_id: str, as_of: int) -> Stated | None:
    """The newest statement about the person; of one moment, the one that it was known by last, then the last lead's."""
    candidates = []
    for each in members(world, lead_id, as_of):
        newest: dict[int, Stated] = {}
        for stated in world.stated.get(each, []):
            if stated.arrived_at <= as_of and (
                stated.at not in newest or newest[stated.at].arrived_at < stated.arrived_at
            ):
                newest[stated.at] = stated
        since = together_since(world, each, as_of)
        candidates += [(s.at, max(s.arrived_at, since), each, s) for s in newest.values() if s.at < as_of]
    return max(candidates, key=lambda each: each[:3])[3] if candidates else None


def together_since(world: World, lead_id: str, as_of: int) -> int:
    """Since when this lead goes by the name it has now."""

    def name_at(moment: int) -> str:
        return min(members(world, lead_id, moment), key=lambda each: (world.created[each], each))

    since = 0
    moments = [moment for moment, _ in world.persons.get(lead_id, []) if moment <= as_of]
    for moment in sorted(moments):
        if name_at(moment) != name_at(moment - 1):
            since = moment
    return since


def of_events(entry: Entry, events: list[Delivered], as_of: int, zone: dt.timezone) -> dict[str, Any]:
    """The columns of an entry that looks at events."""
    values: dict[str, Any] = {}
    for window in entry.get("windows") or [None]:
        name = entry["name"] if window is None else f"{entry['name']}_{window}"
        chosen = [event for event in events if is_meant(entry, event)]
        if window not in {None, "all"}:
            length = int(window[:-1]) * SECONDS[window[-1]] * 1_000_000
            chosen = [event for event in chosen if event.at >= as_of - length]
        if entry["kind"] == "top":
            counts = Counter(event.labels.get(entry["of"]) for event in chosen)
            counts.pop(None, None)
            ranked = sorted(counts, key=lambda value: (-counts[value], value))
            for rank in range(entry.get("k", 1)):
                values[f"{name}_{rank + 1}"] = ranked[rank] if rank < len(ranked) else None
        else:
            values[name] = one_value(entry, chosen, as_of, zone)
    return values


def is_meant(entry: Entry, event: Delivered) -> bool:
    """Whether an entry looks at an event at all."""
    over = entry.get("amount_over")
    return (
        event.kind in entry["events"]
        and all(event.labels.get(label) in allowed for label, allowed in entry.get("where", {}).items())
        and (over is None or (event.amount is not None and event.amount > over * 1000))
    )


def one_value(entry: Entry, chosen: list[Delivered], as_of: int, zone: dt.timezone) -> Any:  # noqa: ANN401, C901, PLR0911 - one line for each kind
    """What an entry says of the events it looks at, in their order."""
    amounts = [event.amount for event in chosen if event.amount is not None]
    given = [value for event in chosen if (value := read(event, entry.get("of", ""))) is not None]
    local = [dt.datetime.fromtimestamp(0, zone) + dt.timedelta(microseconds=event.at) for event in chosen]
    match entry["kind"]:
        case "count":
            return len(chosen)
        case "sum":
            return sum(amounts) / 1000
        case "max":
            return max(amounts) / 1000 if amounts else None
        case "distinct":
            return len(set(given))
        case "first_age":
            return whole_units(as_of - chosen[0].at, entry) if chosen else None
        case "last_age":
            return whole_units(as_of - chosen[-1].at, entry) if chosen else None
        case "first_value":
            return given[0] if given else None
        case "last_value":
            return given[-1] if given else None
        case "active_days":
            return len({moment.date() for moment in local})
        case "share":
            inside = [is_inside(entry, moment) for moment in local]
            return sum(inside) / len(inside) if inside else None
    raise ValueError(entry)


def read(event: Delivered, of: str) -> str | float | None:
    """A label, or the amount in units."""
    if of == "amount":
        return None if event.amount is None else event.amount / 1000
    return event.labels.get(of)


def is_inside(entry: Entry, moment: dt.datetime) -> bool:
    """Whether a local moment is in the part of the week or of the day that an entry asks for."""
    if "hours" in entry:
        return bool(entry["hours"][0] <= moment.hour < entry["hours"][1])
    return moment.isoweekday() in entry["weekdays"]


def whole_units(elapsed: int, entry: Entry) -> int:
    """Whole days, or hours, of µs."""
    seconds = 3600 if entry.get("unit") == "hours" else 86_400
    return elapsed // (seconds * 1_000_000)


def level(entry: Entry, values: Mapping[str, Any]) -> str | None:
    """The first level all of whose conditions hold."""
    for each in entry["levels"]:
        if all(holds(condition, values) for condition in each["when"]):
            return str(each["name"])
    return None


def holds(condition: str, values: Mapping[str, Any]) -> bool:
    """Whether a condition such as ``views_7d >= 3`` holds; of something missing none does."""
    column, sign, text = condition.split(maxsplit=2)
    value, other = values[column], ast.literal_eval(text)
    if value is None:
        return False
    signs: dict[str, Callable[[Any, Any], bool]] = {
        ">=": operator.ge,
        "<=": operator.le,
        ">": operator.gt,
        "<": operator.lt,
        "==": operator.eq,
        "!=": operator.ne,
    }
    return signs[sign](value, other)
