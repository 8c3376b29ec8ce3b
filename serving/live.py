"""Live facts at the door: what was sent becomes facts for the log, or every fault of every fact is told at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from features.arrivals import Admission, Wrong, one_of, plain, plain_labels
from features.identity import hashes_of, mask_of
from features.identity.key import Key
from features.log import NewEvent, NewVersion
from leadlight.schema import CHANNEL, CONTACTS, from_micros
from leadlight.settings import Site
from serving.intake import Door, faults_of, moment
from serving.problems import Fault, unprocessable
from serving.schemas_live import LeadRequest, LiveEvent


def events(door: Door, sent: Sequence[LiveEvent], *, field: str, kinds: frozenset[str] | None = None) -> list[NewEvent]:
    """The events that were sent as ``field``, of ``kinds`` if these are given; a 422 with every fault."""
    faults: list[Fault] = []
    for index, event in enumerate(sent):
        faults += faults_of(f"#/{field}/{index}", index, _event_wrongs(door.admission, event, kinds))
    if faults:
        raise unprocessable(faults)
    return [
        NewEvent(
            event_id=event.event_id,
            lead_id=event.lead_id,
            kind=event.kind,
            at=moment(event.at, door.site),
            amount=event.amount,
            labels=plain_labels(event.labels),
        )
        for event in sent
    ]


def _event_wrongs(admission: Admission, event: LiveEvent, kinds: frozenset[str] | None) -> Iterator[Wrong]:
    at = moment(event.at, admission.site)
    yield from admission.event(event.kind, at, event.labels, came=event.at.isoformat())
    if kinds is not None and event.kind in admission.site.kinds and event.kind not in kinds:
        yield Wrong("kind", event.kind, one_of(event.kind, kinds))


def outcome_kinds(site: Site) -> frozenset[str]:
    """The kinds that sales report back: those a target or a lock looks at, and those the site declares so."""
    asked = {kind for target in site.targets.values() for kind in (*target.outcome, *target.lacks)}
    locked = {kind for lock in site.locks.values() for kind in (*lock.set_by, *lock.lifted_by)}
    declared = {name for name, kind in site.kinds.items() if kind.outcome}
    return frozenset(asked | locked | declared)


@dataclass(frozen=True)
class Hashing:
    """How contacts become hashes; without a key they are only masked."""

    key: Key | None
    region: str


def version(door: Door, lead_id: str, sent: LeadRequest, *, hashing: Hashing) -> NewVersion:
    """The version of a lead that was sent; a 422 with every fault."""
    faults = list(faults_of("#", None, _version_wrongs(door, lead_id, sent)))
    if faults:
        raise unprocessable(faults)
    member = door.roster.members.get(lead_id)
    channel = sent.channel or (member.channel if member else "")
    given = None if sent.created_at is None else moment(sent.created_at, door.site)
    contacts = {name: getattr(sent, name) for name in CONTACTS}
    return NewVersion(
        lead_id=lead_id,
        created_at=member.created_at if member else given,
        channel=channel,
        contact=mask_of(contacts),
        at=None if sent.at is None else moment(sent.at, door.site),
        attributes={name: plain(value) for name, value in sent.attributes.items()},
        hashes=() if hashing.key is None else hashes_of(contacts, hashing.key, hashing.region),
    )


def _version_wrongs(door: Door, lead_id: str, sent: LeadRequest) -> Iterator[Wrong]:
    member, admission = door.roster.members.get(lead_id), door.admission
    if sent.channel is None and member is None:
        yield Wrong(CHANNEL, "nothing", "a new lead must say its channel; where it is not known, not_recorded")
    elif sent.channel is not None:
        yield from admission.channel(sent.channel)
    yield from admission.values(sent.attributes)
    if sent.created_at is not None:
        created_at, came = moment(sent.created_at, door.site), sent.created_at.isoformat()
        yield from admission.moment("created_at", created_at, came)
        if member is not None and created_at != member.created_at:
            yield Wrong(
                "created_at",
                came,
                f"what the lead was created with, {from_micros(member.created_at).isoformat()}, or nothing",
            )
    if sent.at is not None:
        yield from admission.moment("at", moment(sent.at, door.site), sent.at.isoformat())
