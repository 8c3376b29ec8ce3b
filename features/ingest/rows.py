"""A row of a file as a fact for the log, or all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from features.arrivals import Admission, Wrong, id_wrongs, plain
from features.facts import Value
from features.identity import Key, hashes_of, mask_of
from features.ingest.files import UNITS, FileRow, Refusal
from features.ingest.known import KnownLead, Standing
from features.log import NewEvent, NewVersion
from features.spellings import read_moment
from leadlight.schema import (
    AMOUNT,
    AT,
    CHANNEL,
    CONTACTS,
    CREATED_AT,
    EVENT_ID,
    KIND,
    LEAD_ID,
    THOUSANDTHS,
    Micros,
    from_micros,
)
from leadlight.settings import Channel, Kind, Site

_EVENT = {EVENT_ID, LEAD_ID, KIND, AT, AMOUNT, UNITS}
_LEAD = {LEAD_ID, CREATED_AT, CHANNEL, AT, *CONTACTS}
_INT64 = 2**63
_EXACT = 2**53
"""Up to here a float is the whole number that was meant."""
_MOMENT = (
    "a moment that begins with its year, like 2025-01-31 18:30:00, 2025/1/31 18:30 or 2025年1月31日, with a "
    "zone of its own, like 2025-01-31T10:30:00Z, or a spreadsheet's number of days"
)


@dataclass(frozen=True)
class Reader:
    """What rows are held against; ``known`` has the leads that rows name, and grows by them."""

    site: Site
    admission: Admission
    known: dict[str, KnownLead]
    arrives_at: Micros
    key: Key | None

    def fact(self, row: FileRow) -> NewEvent | NewVersion | Standing | list[Refusal]:
        """The row as a fact: an event if it has a kind, else a lead as it now stands; or that it says nothing new."""
        wrongs: list[Wrong] = []
        fact = (self._event if is_event(row) else self._version)(row.values, wrongs)
        if fact is None or wrongs:
            return [Refusal(row.number, wrong, lead_of(row)) for wrong in wrongs]
        return self._as_it_stands(fact, row.values) if isinstance(fact, NewVersion) else fact

    def _as_it_stands(self, version: NewVersion, values: Mapping[str, object]) -> NewVersion | Standing:
        """The version if it has news. Without a moment of its own it may repeat what was said of the lead before."""
        lead = self.known.setdefault(version.lead_id, KnownLead(version.created_at, version.channel))
        standing = "news" if AT in values else lead.standing(version)
        if standing == "news":
            lead.learn(version)
            return version
        return lead.pending or standing  # what is not in the log yet is judged there, like the row that it repeats

    def _event(self, values: Mapping[str, object], wrongs: list[Wrong]) -> NewEvent | None:
        wrongs += (_missing(name) for name in (KIND, AT) if name not in values)
        event_id, lead_id = _id(values, EVENT_ID, wrongs), _id(values, LEAD_ID, wrongs)
        at = self._moment(values, AT, wrongs)
        kind = _by_wording(str(values.get(KIND, "")), self.site.kinds)
        labels = dict(_texts({name: value for name, value in values.items() if name not in _EVENT}, "labels/", wrongs))
        if wrongs or at is None:
            return None
        wrongs += self.admission.event(kind, at, labels, came=values[AT])
        amount = _amount(values, wrongs)
        return NewEvent(event_id, lead_id, kind, at, amount, labels)

    def _version(self, values: Mapping[str, object], wrongs: list[Wrong]) -> NewVersion | None:
        lead_id = _id(values, LEAD_ID, wrongs)
        known = self.known.get(lead_id)
        known_created, known_channel = (None, "") if known is None else (known.created_at, known.channel)
        channel = _by_wording(str(values.get(CHANNEL, known_channel)), self.site.channels)
        if CHANNEL in values or known_created is None:
            wrongs += self.admission.channel(channel) if channel else [_missing(CHANNEL)]
        created_at = self._moment(values, CREATED_AT, wrongs)
        created_at = created_at if created_at is not None else known_created
        if known_created is not None and created_at != known_created:
            allowed = f"what the lead was created with, {from_micros(known_created).isoformat()}, or nothing"
            wrongs.append(Wrong(CREATED_AT, values[CREATED_AT], allowed))
        created_at = self.arrives_at if created_at is None else created_at
        at = self._moment(values, AT, wrongs)
        attributes = dict(self._attributes(values, wrongs))
        contacts = {name: str(values[name]) if name in values else None for name in CONTACTS}
        return NewVersion(
            lead_id=lead_id,
            created_at=created_at,
            channel=channel,
            contact=mask_of(contacts),
            at=at if at is not None else (created_at if known_created is None else self.arrives_at),
            attributes=attributes,
            hashes=() if self.key is None else hashes_of(contacts, self.key, self.site.identity.region),
        )

    def _attributes(self, values: Mapping[str, object], wrongs: list[Wrong]) -> Iterator[tuple[str, Value]]:
        given = {name: value for name, value in values.items() if name not in _LEAD}
        for name, value in _texts(given, "attributes/", wrongs):
            wanted = self.admission.attributes.get(name)
            try:
                typed = float(value) if wanted == "number" else value
            except ValueError:
                wrongs.append(Wrong(name, value, "a number, or nothing where it is unknown"))
                continue
            wrongs += self.admission.values({name: typed})
            yield name, plain(typed)

    def _moment(self, values: Mapping[str, object], name: str, wrongs: list[Wrong]) -> Micros | None:
        """Local unless it has a zone of its own, as everywhere."""
        came = values.get(name)
        if came is None:
            return None
        micros = read_moment(came, self.site.offset)
        if micros is None:
            wrongs.append(Wrong(name, came, _MOMENT))
        else:
            wrongs += self.admission.moment(name, micros, came)
        return micros


def is_event(row: FileRow) -> bool:
    """Whether a row is an event: any other is a lead."""
    return bool({KIND, EVENT_ID} & row.values.keys())


def lead_of(row: FileRow) -> str:
    """Whose row it is; empty if it names no lead."""
    return _id(row.values, LEAD_ID, [])


def _id(values: Mapping[str, object], name: str, wrongs: list[Wrong]) -> str:
    """An id as text; a whole number is one, 1001.0 too, for columns with gaps are read as such."""
    if name not in values:
        wrongs.append(_missing(name))
        return ""
    came = values[name]
    if isinstance(came, float | Decimal) and -_EXACT < came < _EXACT and came == int(came):
        came = int(came)
    if isinstance(came, bool) or not isinstance(came, str | int):
        wrongs.append(Wrong(name, came, "text or a whole number"))
        return ""
    odd = list(id_wrongs(name, str(came)))
    wrongs += odd
    return "" if odd else str(came)


def _texts(values: Mapping[str, object], place: str, wrongs: list[Wrong]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, list | dict | bytes):
            wrongs.append(Wrong(f"{place}{name}", value, "one text or number"))
        yield name, str(value)


def _missing(name: str) -> Wrong:
    return Wrong(name, "nothing", f"every row needs its {name}")


def _by_wording(came: str, names: Mapping[str, Kind] | Mapping[str, Channel]) -> str:
    """The name whose Chinese or English wording this is; else as it came."""
    came = came.strip()
    return (
        came if came in names else next((name for name, words in names.items() if came in {words.zh, words.en}), came)
    )


def _amount(values: Mapping[str, object], wrongs: list[Wrong]) -> int | None:
    """Whole thousandths, or units with up to three decimals."""
    for name, factor, allowed in ((AMOUNT, 1, "whole thousandths"), (UNITS, THOUSANDTHS, "at most three decimals")):
        if name in values:
            try:
                exact = Decimal(str(values[name]).strip().replace(",", "")) * factor
            except InvalidOperation:
                exact = Decimal("NaN")
            if exact.is_finite() and exact == exact.to_integral_value() and -_INT64 <= exact < _INT64:
                return int(exact)
            wrongs.append(Wrong(name, values[name], f"an amount in {allowed}, within 64 bits"))
    return None
