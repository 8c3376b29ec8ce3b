"""What a site asks of its leads: the outcome, who is looked at when, and what a model must prove."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leadlight.settings.parts import Duration, Name, Part, Share

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


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
