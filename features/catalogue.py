"""The catalogue: the one list of a site's features, read from ``catalogue.toml``. Knows no data and no evaluator.

Each ``[[feature]]`` is one entry; an entry with ``windows = ["7d", "30d", "all"]`` fans out to one column a window,
named ``NAME_7d``, ``NAME_30d``, ``NAME_all``; without windows it looks at the whole past and its column is ``NAME``.
Wordings are noun phrases in which ``{window}`` stands for the window ("course pages seen in {window}").
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from leadlight.schema import AMOUNT, DAY, HOUR, LEAD_CREATED, RESERVED, THOUSANDTHS, Micros
from leadlight.settings import Name, Part, Site, SiteError, parse_duration, parse_part, read_toml

ColumnType = Literal["int", "float", "str"]
Theme = Literal["value", "life_cycle", "behaviour", "channel_profile"]
Unit = Literal["hours", "days"]
UNITS: dict[Unit, Micros] = {"hours": HOUR, "days": DAY}
LEVELS_AT_MOST = 24


def _parse_window(text: object) -> tuple[str, Micros | None]:
    if text == "all":
        return "all", None
    length = parse_duration(text)
    if length == 0:
        message = 'a window is a duration above zero such as "7d", or "all"'
        raise ValueError(message)
    return str(text), length


Window = Annotated[tuple[str, Micros | None], BeforeValidator(_parse_window)]


@dataclass(frozen=True)
class Column:
    """One column that an entry yields: its type, its window (``None``: the whole past) and, for ``top``, its rank."""

    name: str
    type: ColumnType
    entry: Entry
    window: Micros | None = None
    window_text: str = ""
    rank: int = 0

    @property
    def group(self) -> str:
        """The reason group that this column's share of a score is counted in."""
        return self.entry.group or self.entry.name

    def wording(self, language: str) -> str:
        """The column in words, ``zh`` or ``en``, without its value."""
        return self.entry.wording(language).replace("{window}", _window_words(self.window_text, language))


class Entry(Part):
    """What every feature has; ``direction`` says which way it is expected to move the score."""

    name: Name
    zh: str
    en: str
    group: Name | Literal[""] = ""
    theme: Theme = "behaviour"
    direction: Literal["up", "down"] | None = None

    def wording(self, language: str) -> str:
        """The noun phrase in ``zh`` or ``en``."""
        return self.zh if language == "zh" else self.en

    def columns(self) -> Iterator[Column]:
        """The columns this entry yields, in order."""
        yield Column(self.name, self.column_type, self)

    @property
    def column_type(self) -> ColumnType:
        """The type of the entry's values."""
        return "int"


class Attribute(Entry):
    """A column of the leads table (or ``channel``), as the newest version known at ``as_of`` has it."""

    kind: Literal["attribute"]
    column: Name
    type: Literal["text", "number"] = "text"

    @property
    def column_type(self) -> ColumnType:
        return "str" if self.type == "text" else "float"


class LeadAge(Entry):
    """Whole hours or days since the lead was created."""

    kind: Literal["age"]
    unit: Unit = "days"


class EventsEntry(Entry):
    """A fact over the events of some kinds, narrowed by label values and by an amount, within each window.

    ``where = {course = ["7", "23"]}`` keeps events whose label is one of these; ``amount_over = 300`` keeps those whose
    amount is greater (in units, not thousandths).
    """

    events: Annotated[tuple[Name, ...], Field(min_length=1)]
    where: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    amount_over: float | None = None
    windows: tuple[Window, ...] = ()

    @property
    def amount_floor(self) -> int | None:
        """``amount_over`` in thousandths: an event counts if its amount is greater."""
        return None if self.amount_over is None else round(self.amount_over * THOUSANDTHS)

    def columns(self) -> Iterator[Column]:
        if not self.windows:
            yield Column(self.name, self.column_type, self, None, "all")
        for text, length in self.windows:
            yield Column(f"{self.name}_{text}", self.column_type, self, length, text)


class Indicator(EventsEntry):
    """One number over events: how many, the sum or maximum of amounts (units), or the distinct values of ``of``."""

    kind: Literal["count", "sum", "max", "distinct"]
    of: Name | None = None

    @property
    def column_type(self) -> ColumnType:
        return "float" if self.kind in {"sum", "max"} else "int"

    @model_validator(mode="after")
    def _of_belongs_to_distinct(self) -> Self:
        if (self.kind == "distinct") != (self.of is not None):
            message = 'of = "LABEL" belongs to kind = "distinct", which needs it'
            raise ValueError(message)
        return self


class EventAge(EventsEntry):
    """Whole hours or days since the first or last such event; missing if there is none."""

    kind: Literal["first_age", "last_age"]
    unit: Unit = "days"


class EventValue(EventsEntry):
    """The label ``of`` (or the ``amount``, in units) at the first or last event that has one; ties by ``event_id``."""

    kind: Literal["first_value", "last_value"]
    of: Name

    @property
    def column_type(self) -> ColumnType:
        return "float" if self.of == "amount" else "str"


class Preference(EventsEntry):
    """The ``k`` most frequent values of the label ``of``, ties by name: one column a rank, missing past the last."""

    kind: Literal["top"]
    of: Name
    k: Annotated[int, Field(ge=1, le=10)] = 1

    @property
    def column_type(self) -> ColumnType:
        return "str"

    def columns(self) -> Iterator[Column]:
        for column in super().columns():
            for rank in range(1, self.k + 1):
                name = f"{column.name}_{rank}"
                yield Column(name, "str", self, column.window, column.window_text, rank)


class ActiveDays(EventsEntry):
    """On how many local days there was such an event."""

    kind: Literal["active_days"]


class ShareOf(EventsEntry):
    """The share of such events on weekdays (1 = Monday) or in local hours [from, to); missing without events."""

    kind: Literal["share"]
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = ()
    hours: tuple[Annotated[int, Field(ge=0, le=24)], Annotated[int, Field(ge=0, le=24)]] | None = None

    @property
    def column_type(self) -> ColumnType:
        return "float"

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        if bool(self.weekdays) == (self.hours is not None):
            message = "give either weekdays = [6, 7] or hours = [18, 24]"
            raise ValueError(message)
        if self.hours is not None and self.hours[0] >= self.hours[1]:
            message = "hours = [from, to] needs from before to"
            raise ValueError(message)
        return self


_CONDITION = re.compile(r"([a-z0-9_]+)\s*(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?|'[^']*')")


@dataclass(frozen=True)
class Condition:
    """``column op value``; a missing value meets no condition."""

    column: str
    op: Literal[">=", "<=", "==", "!=", ">", "<"]
    value: float | str


def _parse_condition(text: object) -> Condition:
    match = _CONDITION.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        message = 'a condition looks like "orders_7d >= 30" or "city == \'Beijing\'"'
        raise ValueError(message)
    value = match[3]
    return Condition(match[1], match[2], value[1:-1] if value.startswith("'") else float(value))  # type: ignore[arg-type]  # the pattern admits these operators only


class Rule(Part):
    """A named level: the lead has it if every condition holds."""

    name: str
    when: Annotated[tuple[Annotated[Condition, BeforeValidator(_parse_condition)], ...], Field(min_length=1)]


class Level(Entry):
    """The first of the named levels all of whose conditions hold; missing if none does."""

    kind: Literal["level"]
    levels: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=LEVELS_AT_MOST)]

    @property
    def column_type(self) -> ColumnType:
        return "str"


class Context(Entry):
    """How many events of these kinds everybody (``all``) or the lead's ``channel`` had in the last N complete days."""

    kind: Literal["context"]
    events: Annotated[tuple[Name, ...], Field(min_length=1)]
    scope: Literal["all", "channel"] = "all"
    windows: Annotated[tuple[Window, ...], Field(min_length=1)]

    def columns(self) -> Iterator[Column]:
        for text, length in self.windows:
            yield Column(f"{self.name}_{text}", "int", self, length, text)

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        if any(length is None or length % DAY for _, length in self.windows):
            message = 'context windows are whole days, such as "7d"'
            raise ValueError(message)
        return self


AnyEntry = Annotated[
    Attribute | LeadAge | Indicator | EventAge | EventValue | Preference | ActiveDays | ShareOf | Level | Context,
    Field(discriminator="kind"),
]


class Catalogue(Part):
    """All entries of a site."""

    feature: Annotated[tuple[AnyEntry, ...], Field(min_length=1)]

    @cached_property
    def lead_columns(self) -> tuple[Column, ...]:
        """The columns evaluated over one lead's past, in catalogue order."""
        return tuple(c for e in self.feature if not isinstance(e, Context) for c in e.columns())

    @cached_property
    def context_columns(self) -> tuple[Column, ...]:
        """The columns evaluated over everybody's or a channel's closed days."""
        return tuple(c for e in self.feature if isinstance(e, Context) for c in e.columns())

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column a model may use, lead columns first."""
        return self.lead_columns + self.context_columns

    @cached_property
    def hash(self) -> str:
        """SHA-256 of what the entries say: two catalogues with one hash yield the same columns and words."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def load_catalogue(site: Site) -> Catalogue:
    """Read and check ``catalogue.toml`` against the site's kinds and labels; all faults in one ``SiteError``."""
    path = site.folder / "catalogue.toml"
    catalogue = parse_part(Catalogue, read_toml(path), path.name)
    faults = [f"{path.name}: {fault}" for fault in (*_name_faults(catalogue), *_reference_faults(catalogue, site))]
    if faults:
        raise SiteError(faults)
    return catalogue


def target_columns(catalogue: Catalogue, exclude: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns a target's model uses: all but the entries or columns it names in ``exclude``."""
    return tuple(c for c in catalogue.columns if c.name not in exclude and c.entry.name not in exclude)


def _name_faults(catalogue: Catalogue) -> Iterator[str]:
    for name, times in Counter(column.name for column in catalogue.columns).items():
        if times > 1:
            yield f"feature column {name!r} is made {times} times: give the entries different names"
        if name in RESERVED:
            yield f"feature column {name!r} has a name of Leadlight's own: give the entry another"


def _reference_faults(catalogue: Catalogue, site: Site) -> Iterator[str]:
    types = {column.name: column.type for column in catalogue.lead_columns if not isinstance(column.entry, Level)}
    for entry in catalogue.feature:
        if isinstance(entry, EventsEntry):
            yield from _kind_faults(entry.name, entry.events, site)
            yield from _label_faults(entry, site)
        elif isinstance(entry, Context):
            yield from _kind_faults(entry.name, [k for k in entry.events if k != LEAD_CREATED], site)
        elif isinstance(entry, Level):
            yield from _condition_faults(entry, types)
    known = {c.name for c in catalogue.columns} | {e.name for e in catalogue.feature}
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


_WORDS = {
    "d": ("天", "day"),
    "h": ("小时", "hour"),
    "m": ("分钟", "minute"),
    "w": ("周", "week"),
    "s": ("秒", "second"),
}


def _window_words(text: str, language: str) -> str:
    if text in {"", "all"}:
        return "全部时间" if language == "zh" else "all time"
    zh, en = _WORDS[text[-1]]
    count = int(text[:-1])
    return f"{count}{zh}" if language == "zh" else f"{count} {en}{'' if count == 1 else 's'}"
