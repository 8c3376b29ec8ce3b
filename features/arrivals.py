"""Facts at the door: what a new lead or event of a site may say, whoever brings it. Knows neither HTTP nor files."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from features.history import Value
from leadlight.database import is_storable
from leadlight.schema import EVERYBODY, ID_AT_MOST, ID_PATTERN, ID_WORDS, Micros, from_micros
from leadlight.settings import Site


@dataclass(frozen=True)
class Wrong:
    """One thing wrong with a fact: the field (``labels/course``), what came, what is allowed."""

    field: str
    came: object
    allowed: str


@dataclass(frozen=True)
class Admission:
    """What facts are held against: the site, attribute types (``text``, ``number``), and the clock.

    ``latest`` is the last moment a fact may have: what lies after it has not happened.
    """

    site: Site
    attributes: Mapping[str, str]
    latest: Micros

    def channel(self, name: str) -> Iterator[Wrong]:
        """Faults of a channel: where the site declares none, a new one is as good as any."""
        declared = self.site.channels
        if declared and name not in declared:
            yield Wrong("channel", name, one_of(name, declared))
        elif not name.strip() or name == EVERYBODY:
            yield Wrong("channel", name, f"the name of a channel, not {EVERYBODY}; where it is not known, not_recorded")

    def values(self, attributes: Mapping[str, object]) -> Iterator[Wrong]:
        """Faults of a lead's attributes."""
        for name, value in attributes.items():
            if name not in self.attributes:
                yield Wrong(f"attributes/{name}", name, one_of(name, self.attributes))
            elif value is not None and isinstance(value, str) != (self.attributes[name] == "text"):
                yield Wrong(f"attributes/{name}", value, f"a {self.attributes[name]}, or null for unknown")

    def event(self, kind: str, at: Micros, labels: Iterable[str], *, came: object = None) -> Iterator[Wrong]:
        """Faults of an event: its kind, the names of its labels, its moment (``came``: as it was written)."""
        declared = self.site.kinds.get(kind)
        if declared is None:
            yield Wrong("kind", kind, one_of(kind, self.site.kinds))
        for name in labels:
            if declared is not None and name not in declared.labels:
                yield Wrong(f"labels/{name}", name, one_of(name, declared.labels))
        yield from self.moment("at", at, came)

    def moment(self, field: str, when: Micros, came: object = None) -> Iterator[Wrong]:
        """Faults of a moment (``came``: as it was written)."""
        if not 0 <= when <= self.latest:
            allowed = f"a moment from 1970 up to now, {from_micros(self.latest).isoformat()}"
            yield Wrong(field, _iso(when) if came is None else came, allowed)


def id_wrongs(field: str, came: str) -> Iterator[Wrong]:
    """Faults of a lead's or an event's id."""
    if len(came) > ID_AT_MOST or not re.fullmatch(ID_PATTERN, came) or not is_storable(came):
        yield Wrong(field, came[:ID_AT_MOST], ID_WORDS)


def plain(value: float | str | None) -> Value:
    """A value as the history holds it: numbers are floats, blank text is missing."""
    if isinstance(value, str):
        return value if value.strip() else None
    return None if value is None else float(value)


def plain_labels(labels: Mapping[str, str | None]) -> dict[str, str | None]:
    """Labels as the history holds them: blank text is missing."""
    return {name: value if value and value.strip() else None for name, value in labels.items()}


def one_of(came: str, names: Iterable[str]) -> str:
    """The allowed names, the nearest first if one is near."""
    known = sorted(names)
    near = difflib.get_close_matches(came, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return (f"one of: {', '.join(known)}" if known else "none") + meant


def _iso(when: Micros) -> str:
    try:
        return from_micros(when).isoformat()
    except OverflowError:
        return f"{when} µs"
