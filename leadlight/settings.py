"""A site's ``leadlight.toml``: everything particular to one company but its data, checked at one door."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from leadlight.schema import (
    CONTACTS,
    DAY,
    EVENT_COLUMNS,
    EVERYBODY,
    HOUR,
    LEAD_CREATED,
    MINUTE,
    RESERVED,
    SECOND,
    UNTIL,
    Micros,
    day_number,
    midnight,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
P = TypeVar("P", bound=BaseModel)
_NOT_LABELS = {*RESERVED, *EVENT_COLUMNS, *CONTACTS, UNTIL}
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}


class SiteError(Exception):
    """What a user's files or words got wrong: every fault at once, each with what came, what is allowed, what to do."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class UsageError(SiteError):
    """The call itself was wrong: a folder, target or option that is not there."""


def parse_duration(text: object) -> Micros:
    """Microseconds of a duration such as ``"30d"``, ``"12h"``, ``"15m"``, ``"0s"`` or ``"4w"``."""
    match = re.fullmatch(r"(\d+)([smhdw])", text) if isinstance(text, str) else None
    if match is None:
        message = 'a duration is a whole number and one of s, m, h, d, w, such as "30d"'
        raise ValueError(message)
    return int(match[1]) * _UNITS[match[2]]


def _parse_offset(text: object) -> Micros:
    match = re.fullmatch(r"([+-])(\d\d):(\d\d)", text) if isinstance(text, str) else None
    if match is None:
        message = 'a fixed UTC offset looks like "+08:00"'
        raise ValueError(message)
    size = int(match[2]) * HOUR + int(match[3]) * MINUTE
    return -size if match[1] == "-" else size


Duration = Annotated[Micros, BeforeValidator(parse_duration)]
Offset = Annotated[Micros, BeforeValidator(_parse_offset)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Share = Annotated[float, Field(gt=0, lt=1)]


class Part(BaseModel):
    """A part of a settings file: unknown keys are faults, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Wording(Part):
    """What people read, in both languages."""

    zh: str
    en: str


class Kind(Part):
    """A kind of event: its label columns, the delay that stands in for an unrecorded arrival, its wording."""

    labels: tuple[Name, ...] = ()
    delay: Duration = 0
    zh: str = ""
    en: str = ""


class Channel(Wording):
    """A channel of the site and the family (paid, owned or other) it is counted in."""

    family: Literal["paid", "owned", "other"] = "other"


class Population(Part):
    """Which leads a target is about: those with one event of every kind in ``has`` and none of a kind in ``lacks``."""

    has: tuple[Name, ...] = ()
    lacks: tuple[Name, ...] | None = None


class Observe(Part):
    """When a lead is looked at: at offsets after its creation, or at local midnights of a calendar cadence."""

    offsets: tuple[Duration, ...] = ()
    every: Literal["day", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = None
    until: Duration | None = None
    first: dt.date | None = Field(default=None, alias="from")
    last: dt.date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if bool(self.offsets) == (self.every is not None):
            message = 'give either offsets = ["7d"] or every = "monday" with until = "60d"'
            raise ValueError(message)
        if self.every is not None and self.until is None:
            message = 'every needs until = "60d": the age after which a lead is no longer looked at'
            raise ValueError(message)
        return self


class Split(Part):
    """Where training ends and the test begins: two dates (of ``as_of``, inclusive), or the share of latest rows."""

    train_until: dt.date | None = None
    test_from: dt.date | None = None
    test_share: Share = 0.2

    @model_validator(mode="after")
    def _both_dates(self) -> Self:
        if (self.train_until is None) != (self.test_from is None):
            message = "give both train_until and test_from, or neither"
            raise ValueError(message)
        if self.train_until and self.test_from and self.train_until >= self.test_from:
            message = "train_until must be before test_from"
            raise ValueError(message)
        return self


class Operate(Part):
    """Which leads are flagged: the top ``flag_share``, or all at or above a fixed ``threshold``."""

    flag_share: Share = 0.1
    threshold: Share | None = None


class Gate(Part):
    """What a model must prove before it goes live; each threshold is held against a lower confidence bound."""

    precision: Share
    recall: Share
    accuracy: Share | None = None
    auc: Share | None = None
    average_precision: Share | None = None
    lift: Annotated[float, Field(gt=0)] | None = None


class Grades(Part):
    """The shares of leads that grades A, B and C hold; the rest is D."""

    A: Share = 0.05
    B: Share = 0.15
    C: Share = 0.30

    @model_validator(mode="after")
    def _room_for_d(self) -> Self:
        if self.A + self.B + self.C >= 1:
            message = "the shares of A, B and C must leave room for D: their sum must be below 1"
            raise ValueError(message)
        return self


class Target(Part):
    """One question asked of a lead: will this outcome happen within the horizon?"""

    outcome: Annotated[tuple[Name, ...], Field(min_length=1)]
    horizon: Duration
    outcome_delay: Duration = 0
    observe: Observe
    gate: Gate
    population: Population = Population()
    split: Split = Split()
    operate: Operate = Operate()
    grades: Grades = Grades()
    exclude: tuple[Name, ...] = ()
    zh: str = ""
    en: str = ""

    @property
    def question(self) -> str:
        """SHA-256 of what is asked: a model answers the question it was trained for and no other."""
        asked = self.model_dump(
            mode="json", include={"outcome", "horizon", "outcome_delay", "observe", "population", "exclude"}
        )
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    @property
    def lacks(self) -> tuple[str, ...]:
        """The kinds that take a lead out of the population: the outcome unless the site says otherwise."""
        return self.outcome if self.population.lacks is None else self.population.lacks


class Identity(Part):
    """``[site]``: who this is, and whether its data are made up."""

    name: Name
    title: Wording
    utc_offset: Offset
    made: bool = False


class Clock(Part):
    """What *now* means: the wall clock, or the newest fact of a log that has ended."""

    at: Literal["wall", "last_fact"] = "wall"


class Sample(Part):
    """How much made data to draw for a site that has none of its own."""

    leads: Annotated[int, Field(ge=100)]
    seed: int


class Site(Part):
    """One company's configuration, with the folder it came from."""

    folder: Path
    site: Identity
    clock: Clock = Clock()
    sample: Sample | None = None
    channels: dict[str, Channel] = Field(default_factory=dict)
    kinds: dict[Name, Kind]
    targets: Annotated[dict[Name, Target], Field(min_length=1)]
    leaks: dict[str, str] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The site's short name, used in paths and registry names."""
        return self.site.name

    @property
    def offset(self) -> Micros:
        """The fixed UTC offset of the site's days."""
        return self.site.utc_offset

    @property
    def labels(self) -> tuple[str, ...]:
        """The label columns of all kinds, in the order of their first mention."""
        return tuple(dict.fromkeys(label for kind in self.kinds.values() for label in kind.labels))

    def midnight(self, date: dt.date) -> Micros:
        """The moment at which ``date`` begins at this site."""
        return midnight(day_number(date), self.offset)

    def target(self, name: str | None = None) -> tuple[str, Target]:
        """The named target, or the first; an unknown name is a ``SiteError``."""
        if name is None:
            return next(iter(self.targets.items()))
        if name not in self.targets:
            raise UsageError([f"target: {name!r} is not one of this site's: {', '.join(self.targets)}"])
        return name, self.targets[name]

    @model_validator(mode="after")
    def _kinds_are_declared(self) -> Self:
        if LEAD_CREATED in self.kinds:
            message = f"kinds.{LEAD_CREATED}: this name is taken by Leadlight for the creation of a lead"
            raise ValueError(message)
        taken = [
            *(
                f"channels.{EVERYBODY}: this name is taken for what everybody does"
                for name in self.channels
                if name == EVERYBODY
            ),
            *(
                f"kinds: the label {label!r} has a name of Leadlight's own"
                for label in self.labels
                if label in _NOT_LABELS
            ),
        ]
        unknown = [
            f"targets.{name}: {kind!r} is not declared as [kinds.{kind}]"
            for name, target in self.targets.items()
            for kind in (*target.outcome, *target.population.has, *target.lacks)
            if kind not in self.kinds
        ]
        if taken or unknown:
            raise ValueError("; ".join(dict.fromkeys([*taken, *unknown])))
        return self


def load_site(folder: Path) -> Site:
    """Read and check ``folder/leadlight.toml``; all its faults come in one ``SiteError``."""
    path = folder / "leadlight.toml"
    return parse_part(Site, {**read_toml(path), "folder": folder.resolve()}, path.name)


def read_toml(path: Path) -> dict[str, object]:
    """The tables of a TOML file; a missing or unreadable one is a ``SiteError`` that says what to do."""
    if not path.is_file():
        raise UsageError([f"{path}: no such file; `leadlight init SITE --data DIR` drafts a site"])
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SiteError([f"{path.name}: not valid TOML: {error}"]) from error


def parse_part(model: type[P], tables: dict[str, object], source: str) -> P:
    """``tables`` as a checked ``model``; every fault of ``source`` in one ``SiteError``."""
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        raise SiteError([_fault(source, detail) for detail in error.errors()]) from error


def _fault(source: str, detail: ErrorDetails) -> str:
    where = ".".join(str(step) for step in detail["loc"])
    came = "" if isinstance(detail["input"], dict) else f" (came: {detail['input']!r})"
    return f"{source}: {where + ': ' if where else ''}{detail['msg'].removeprefix('Value error, ')}{came}"
