"""What becomes of new facts: which are new, known or corrections, and which cannot be taken. Knows no SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from features.log.facts import NewEdge, NewEvent, NewFact, NewVersion, Result
from features.log.known import Known, KnownEdge, KnownEvent, KnownVersion, known_labels, present
from leadlight.database import is_storable
from leadlight.schema import CHANNEL, Micros, from_micros

_GREATEST = 2**63
"""One more than the greatest number a database keeps."""


@dataclass
class Judged:
    """The verdict on a batch: a result for each fact, the rows to write by table, or the faults (index, what)."""

    seq: int
    results: list[Result] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def add(self, table: str, row: Mapping[str, Any]) -> None:
        """A further row, which gets the next sequence number."""
        self.seq += 1
        self.rows.setdefault(table, []).append({"seq": self.seq, **row})


def judge(facts: Sequence[NewFact], known: Known, *, arrived_at: Micros, seq: int) -> Judged:
    """Judge each fact against what is ``known`` and the facts before it; ``known`` grows by them."""
    judged = Judged(seq)
    for index, fact in enumerate(facts):
        faults = list(_faults(fact, known))
        judged.faults += [(index, fault) for fault in faults]
        if faults:
            if isinstance(fact, NewVersion):  # else each of its events would be a fault too
                known.created.setdefault(fact.lead_id, fact.created_at)
            continue
        if isinstance(fact, NewEvent):
            judged.results.append(_take_event(fact, known, judged, arrived_at))
        elif isinstance(fact, NewVersion):
            judged.results.append(_take_version(fact, known, judged, arrived_at))
        else:
            judged.results.append(_take_edge(fact, known, judged, arrived_at))
    return judged


def _faults(fact: NewFact, known: Known) -> Iterator[str]:
    """What is wrong with a fact. Of what cannot be stored nothing further is asked."""
    unstorable = list(_unstorable(fact))
    yield from unstorable
    if unstorable:
        return
    named = [fact.lead_id, fact.other_id] if isinstance(fact, NewEdge) else [fact.lead_id]
    for lead_id in (lead_id for lead_id in named if lead_id is not None):
        if lead_id in known.erased:
            yield f"lead_id: {lead_id!r} was erased: nothing about this lead is taken any more"
        elif lead_id not in known.created and not isinstance(fact, NewVersion):
            yield f"lead_id: {lead_id!r} is not known: send the lead itself before, or earlier in the same batch"
    if isinstance(fact, NewEvent):
        yield from _event_faults(fact, known)
    elif isinstance(fact, NewVersion):
        yield from _version_faults(fact, known)
    else:
        yield from _edge_faults(fact)


def _unstorable(fact: NewFact) -> Iterator[str]:
    """Texts and numbers that one of the databases would refuse in the middle of a batch."""
    for name, value in _values(fact):
        if isinstance(value, str) and not is_storable(value):
            yield f"{name}: {value!r} has a character that cannot be stored (NUL, or half of a surrogate pair)"
        if isinstance(value, int) and not -_GREATEST <= value < _GREATEST:
            yield f"{name}: {value} is beyond 64 bits"
        if isinstance(value, float) and not isfinite(value):
            yield f"{name}: {value} is no number; null means unknown"


def _values(fact: NewFact) -> Iterator[tuple[str, object]]:
    """Every single value of a fact, by name."""
    for name, value in vars(fact).items():
        if isinstance(value, Mapping):
            yield from ((f"{name}/{inner}", inner_value) for inner, inner_value in value.items())
            yield from ((name, inner) for inner in value)
        elif isinstance(value, tuple):
            yield from ((name, text) for texts in value for text in texts)
        else:
            yield name, value


def _event_faults(event: NewEvent, known: Known) -> Iterator[str]:
    other = known.events.get(event.event_id)
    stranger = other.lead_id != event.lead_id if other else event.event_id in known.of_others
    if stranger:
        whose = f"lead {other.lead_id!r}" if other else "another lead"
        yield (
            f"event_id: {event.event_id!r} is an event of {whose}, and came for {event.lead_id!r}: "
            "an event keeps its lead; give another event another event_id"
        )


def _version_faults(version: NewVersion, known: Known) -> Iterator[str]:
    created_at = known.created.get(version.lead_id, version.created_at)
    if created_at != version.created_at and version.lead_id not in known.erased:
        yield (
            f"created_at: {from_micros(version.created_at).isoformat()} came, but lead {version.lead_id!r} was created "
            f"at {from_micros(created_at).isoformat()}: this does not change"
        )


def _edge_faults(edge: NewEdge) -> Iterator[str]:
    if edge.other_id == edge.lead_id:
        yield f"other_id: {edge.other_id!r} is the lead itself: name two leads"
    if edge.other_id is None and edge.verdict == "same":
        yield "other_id: nobody was named: 'same' needs two leads; only 'apart' can be from everybody"


def _take_event(event: NewEvent, known: Known, judged: Judged, arrived_at: Micros) -> Result:
    labels = known_labels(event.labels)
    before = known.events.get(event.event_id)
    if before is not None:
        if (event.kind, event.at, event.amount, labels) == (before.kind, before.at, before.amount, before.labels):
            return "unchanged"
        arrived_at = max(arrived_at, before.arrived_at + 1)
    after = KnownEvent(event.lead_id, event.kind, event.at, event.amount, labels, arrived_at)
    known.events[event.event_id] = after
    row = {**vars(after), "event_id": event.event_id, "first": before is None, "labels": _text(labels)}
    judged.add("events", row)
    return "added" if before is None else "corrected"


def _take_version(version: NewVersion, known: Known, judged: Judged, arrived_at: Micros) -> Result:
    """Contacts that are new are kept even where the version itself says nothing new."""
    is_first = version.lead_id not in known.created
    known.created.setdefault(version.lead_id, version.created_at)
    before = known.versions.get((version.lead_id, version.at))
    values = present({CHANNEL: version.channel, **version.attributes})
    changed = before is None or values != before.values or version.contact not in {None, before.contact}
    if changed:
        came = arrived_at if before is None else max(arrived_at, before.arrived_at + 1)
        contact = version.contact or (before.contact if before else None)
        known.versions[version.lead_id, version.at] = KnownVersion(values, contact, came)
        row = {
            "lead_id": version.lead_id,
            "created_at": version.created_at,
            "channel": version.channel,
            "contact": contact,
            "at": version.at,
            "arrived_at": came,
            "first": is_first,
            "attributes": _text({name: value for name, value in values.items() if name != CHANNEL}),
        }
        judged.add("lead_versions", row)
    for kind, digest in version.hashes:
        if (version.lead_id, kind, digest) not in known.hashes:
            known.hashes.add((version.lead_id, kind, digest))
            row = {"lead_id": version.lead_id, "type": kind, "hash": digest, "arrived_at": arrived_at}
            judged.add("contacts", row)
    return "unchanged" if not changed else "added" if before is None else "corrected"


def _take_edge(edge: NewEdge, known: Known, judged: Judged, arrived_at: Micros) -> Result:
    """What was the last word about these leads is no news when it is said again; what another overruled, is."""
    before = next((earlier for earlier in reversed(known.edges) if earlier.concerns(edge)), None)
    if before is not None:
        if before.says(edge):
            return "unchanged"
        arrived_at = max(arrived_at, before.arrived_at + 1)
    known.edges.append(KnownEdge(edge, arrived_at))
    judged.add("edges", {**vars(edge), "arrived_at": arrived_at})
    return "added" if before is None else "corrected"


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, allow_nan=False, sort_keys=True)
