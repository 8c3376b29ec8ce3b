"""What a catalogue may list: one class for each kind of entry, and the columns it yields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from leadlight.schema import DAY, HOUR, THOUSANDTHS, Micros
from leadlight.settings import Name, Part, parse_duration

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

    @property
    def definition(self) -> dict[str, Any]:
        """What computes the column, as JSON holds it."""
        said = self.entry.model_dump(mode="json", exclude={"name", "windows", *TOLD})
        return {**said, "window": self.window, "rank": self.rank, "type": self.type}

    def wording(self, language: str) -> str:
        """The column in words, ``zh`` or ``en``, without its value."""
        words = self.entry.wording(language)
        if self.window_text in {"", "all"}:
            words = _LASTING.sub(_ALWAYS[language], words)
        return words.replace("{window}", _window_words(self.window_text, language))


TOLD = frozenset({"zh", "en", "group", "theme", "direction"})
"""What an entry says to people and to a fit, and no value depends on."""


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
    def uses(self) -> frozenset[str]:
        """The columns that its conditions ask for."""
        return frozenset(condition.column for rule in self.levels for condition in rule.when)

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


_WORDS = {
    "d": ("天", "day"),
    "h": ("小时", "hour"),
    "m": ("分钟", "minute"),
    "w": ("周", "week"),
    "s": ("秒", "second"),
}

_LASTING = re.compile(r"最?近\{window\}内?|in the last \{window\}")
_ALWAYS = {"zh": "累计", "en": "in all time"}
"""What stands for "in the last N days" in a column of the whole past, which has no last days."""


def _window_words(text: str, language: str) -> str:
    if text in {"", "all"}:
        return "全部时间" if language == "zh" else "all time"
    zh, en = _WORDS[text[-1]]
    count = int(text[:-1])
    return f"{count}{zh}" if language == "zh" else f"{count} {en}{'' if count == 1 else 's'}"
