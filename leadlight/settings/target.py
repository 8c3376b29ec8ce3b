"""What a site asks of its leads: the outcome, who is looked at when, and what a model must prove."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from leadlight.schema import DAY, Micros
from leadlight.settings.parts import Duration, Name, Part, Share

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Quiet(Part):
    """No event of these ``kinds`` within ``length``: a lead is quiet so long after the last one, or after it came."""

    kinds: Annotated[tuple[Name, ...], Field(min_length=1)]
    length: Annotated[Duration, Field(alias="for", gt=0, le=36_525 * DAY)]


class Population(Part):
    """Which leads a target is about: those with one event of every kind in ``has`` and none of a kind in ``lacks``.

    With ``quiet`` only while they are quiet.
    """

    has: tuple[Name, ...] = ()
    lacks: tuple[Name, ...] | None = None
    quiet: Quiet | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind that decides, by its name, whether a lead is in."""
        return (*self.has, *(self.lacks or ()), *self.quiet_kinds)

    @property
    def quiet_kinds(self) -> tuple[str, ...]:
        """The kinds of which a lead must be quiet."""
        return () if self.quiet is None else self.quiet.kinds

    @model_validator(mode="after")
    def _quiet_is_not_for_good(self) -> Self:
        both = sorted({*(self.lacks or ())} & {*self.quiet_kinds})
        if both:
            message = f"{', '.join(both)} cannot be in lacks (which ends it for good) and in quiet: leave it out of one"
            raise ValueError(message)
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        """A population without ``quiet`` is written as ever, so the question of older models stays theirs."""
        written: dict[str, object] = serialize(self)
        return {name: value for name, value in written.items() if name != "quiet" or value is not None}


class Observe(Part):
    """When a lead is looked at: at offsets after its creation, or at local midnights of a calendar cadence."""

    offsets: tuple[Duration, ...] = ()
    every: Literal["day", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = None
    until: Duration | None = None
    first: dt.date | None = Field(default=None, alias="from")
    last: dt.date | None = Field(default=None, alias="to")

    def looks_at(self, age: Micros) -> bool:
        """Whether a lead of this age is one that the schedule looks at, give or take a day."""
        if self.until is not None:
            return age <= self.until + DAY
        return any(abs(age - offset) <= DAY for offset in self.offsets)

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
    """Which leads are flagged: the top ``flag_share``, or all at or above a fixed ``threshold``.

    With a ``capacity``, of so many leads that sales can call a day, the share is what that comes to.
    """

    flag_share: Share = 0.1
    threshold: Share | None = None
    capacity: Annotated[int, Field(ge=1)] | None = None


class Gate(Part):
    """What a model must prove before it goes live; each threshold is held against a lower confidence bound.

    ``calibration`` is the factor by which the odds that it promises may be wrong as a whole.
    """

    precision: Share
    recall: Share
    accuracy: Share | None = None
    auc: Share | None = None
    average_precision: Share | None = None
    lift: Annotated[float, Field(gt=0)] | None = None
    calibration: Annotated[float, Field(gt=1)] = 2.0


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


class Fit(Part):
    """How a target's model is fitted, where the site asks for more than the recipe."""

    monotone: bool = False
    """The score follows each number column in the direction that the catalogue gives it."""
    points: Annotated[str, Field(min_length=1)] = "points.toml"
    """The site's points table, if that file exists: the model while there are too few outcomes to learn from."""


class Explore(Part):
    """How large a share of the leads that are not flagged is drawn at random, to see what the model misses."""

    share: Annotated[float, Field(ge=0, lt=1)] = 0.0


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
    explore: Explore = Explore()
    fit: Fit = Fit()
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
        """The kinds that take a lead out of the population for good.

        Unless the site says otherwise that is the outcome, but for what a lead must only be quiet of.
        """
        if self.population.lacks is not None:
            return self.population.lacks
        return tuple(kind for kind in self.outcome if kind not in self.population.quiet_kinds)
