"""A site's ``leadlight.toml``: everything particular to one company but its data, checked at one door."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leadlight.schema import (
    CONTACTS,
    EVENT_COLUMNS,
    EVERYBODY,
    LEAD_CREATED,
    RESERVED,
    UNTIL,
    Micros,
    day_number,
    midnight,
)
from leadlight.settings.journal import Journal
from leadlight.settings.parts import Duration, Name, Offset, Part, UsageError, Wording, parse_part, read_toml
from leadlight.settings.people import Identity, LockRule
from leadlight.settings.stores import Stores
from leadlight.settings.target import Target
from leadlight.settings.watch import Watch

_NOT_LABELS = {*RESERVED, *EVENT_COLUMNS, *CONTACTS, UNTIL}


class Kind(Part):
    """A kind of event: its label columns, the delay that stands in for an unrecorded arrival, its wording."""

    labels: tuple[Name, ...] = ()
    delay: Duration = 0
    outcome: bool = False
    """Sales report it back: it may come as an outcome too, as what a target or a lock looks at always may."""
    zh: str = ""
    en: str = ""


class Channel(Wording):
    """A channel of the site and the family (paid, owned or other) it is counted in."""

    family: Literal["paid", "owned", "other"] = "other"


class Company(Part):
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
    site: Company
    clock: Clock = Clock()
    sample: Sample | None = None
    channels: dict[str, Channel] = Field(default_factory=dict)
    kinds: dict[Name, Kind]
    targets: Annotated[dict[Name, Target], Field(min_length=1)]
    leaks: dict[str, str] = Field(default_factory=dict)
    locks: dict[Name, LockRule] = Field(default_factory=dict)
    identity: Identity = Identity()
    stores: Stores = Stores()
    monitor: Watch = Watch()
    journal: Journal = Journal()
    aliases: dict[str, str] = Field(default_factory=dict)
    """What a header of a file to ingest means: ``"手机号" = "phone"``."""

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
            for kind in (*target.outcome, *target.population.kinds)
            if kind not in self.kinds
        ]
        unknown += [
            f"locks.{name}: {kind!r} is not declared as [kinds.{kind}]"
            for name, lock in self.locks.items()
            for kind in (*lock.set_by, *lock.lifted_by)
            if kind not in self.kinds
        ]
        unknown += [
            f"locks.{name}: no kind has the label {label!r}"
            for name, lock in self.locks.items()
            for label in (*lock.where, *lock.lifted_where, *((lock.who,) if lock.who and lock.set_by else ()))
            if label not in self.labels
        ]
        if taken or unknown:
            raise ValueError("; ".join(dict.fromkeys([*taken, *unknown])))
        return self


def load_site(folder: Path) -> Site:
    """Read and check ``folder/leadlight.toml``; all its faults come in one ``SiteError``."""
    path = folder / "leadlight.toml"
    return parse_part(Site, {**read_toml(path), "folder": folder.resolve()}, path.name)
