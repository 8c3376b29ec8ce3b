"""A row of a file as a fact for the log, or all that is wrong with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from features.arrivals import Admission, Wrong, plain
from features.facts import Value
from features.identity import Key, hashes_of, mask_of
from features.ingest.files import UNITS, FileRow
from features.log import NewEvent, NewVersion
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
    to_micros,
)
from leadlight.settings import Channel, Kind, Site

_EVENT = {EVENT_ID, LEAD_ID, KIND, AT, AMOUNT, UNITS}
_LEAD = {LEAD_ID, CREATED_AT, CHANNEL, AT, *CONTACTS}
_INT64 = 2**63


@dataclass(frozen=True)
class Refusal:
    """A row that was not taken in, and what is wrong with it."""

    number: int
    wrong: Wrong


@dataclass(frozen=True)
class Reader:
    """What rows are held against; ``created`` has the creation and channel of the leads that are known."""

    site: Site
    admission: Admission
    created: Mapping[str, tuple[Micros, str]]
    key: Key | None

    def fact(self, row: FileRow) -> NewEvent | NewVersion | list[Refusal]:
        """The row as a fact: an event if it has a kind, else a lead as it now stands."""
        wrongs: list[Wrong] = []
        read = self._event if {KIND, EVENT_ID} & row.values.keys() else self._version
        fact = read(row.values, wrongs)
        return [Refusal(row.number, wrong) for wrong in wrongs] if fact is None or wrongs else fact

    def _event(self, values: Mapping[str, object], wrongs: list[Wrong]) -> NewEvent | None:
        wrongs += (_missing(name) for name in (EVENT_ID, LEAD_ID, KIND, AT) if name not in values)
        at = self._moment(values, AT, wrongs)
        kind = _by_wording(str(values.get(KIND, "")), self.site.kinds)
        labels = {name: str(value) for name, value in values.items() if name not in _EVENT}
        if wrongs or at is None:
            return None
        wrongs += self.admission.event(kind, at, labels, came=values[AT])
        amount = _amount(values, wrongs)
        return NewEvent(str(values[EVENT_ID]), str(values[LEAD_ID]), kind, at, amount, labels)

    def _version(self, values: Mapping[str, object], wrongs: list[Wrong]) -> NewVersion | None:
        if LEAD_ID not in values:
            wrongs.append(_missing(LEAD_ID))
            return None
        lead_id = str(values[LEAD_ID])
        known_created, known_channel = self.created.get(lead_id, (None, ""))
        channel = _by_wording(str(values.get(CHANNEL, known_channel)), self.site.channels)
        if CHANNEL in values or known_created is None:
            wrongs += self.admission.channel(channel) if channel else [_missing(CHANNEL)]
        created_at = self._moment(values, CREATED_AT, wrongs)
        created_at = created_at if created_at is not None else known_created
        if known_created is not None and created_at != known_created:
            allowed = f"what the lead was created with, {from_micros(known_created).isoformat()}, or nothing"
            wrongs.append(Wrong(CREATED_AT, values[CREATED_AT], allowed))
        at = self._moment(values, AT, wrongs)
        attributes = dict(self._attributes(values, wrongs))
        contacts = {name: str(values[name]) if name in values else None for name in CONTACTS}
        return NewVersion(
            lead_id=lead_id,
            created_at=created_at,
            channel=channel,
            contact=mask_of(contacts),
            at=at,
            attributes=attributes,
            hashes=() if self.key is None else hashes_of(contacts, self.key, self.site.identity.region),
        )

    def _attributes(self, values: Mapping[str, object], wrongs: list[Wrong]) -> Iterator[tuple[str, Value]]:
        for name, value in values.items():
            if name in _LEAD:
                continue
            wanted = self.admission.attributes.get(name)
            try:
                typed = float(str(value)) if wanted == "number" else str(value)
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
        try:
            moment = came if isinstance(came, dt.datetime) else dt.datetime.fromisoformat(str(came).strip())
        except ValueError:
            wrongs.append(Wrong(name, came, "a moment like 2025-01-31 18:30:00, or with a zone of its own"))
            return None
        micros = to_micros(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))
        micros = micros if moment.tzinfo else micros - self.site.offset
        wrongs += self.admission.moment(name, micros, came)
        return micros


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
