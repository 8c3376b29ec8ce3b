"""How a site's leads are recognised as one person, and when nobody may contact them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from leadlight.schema import DAY
from leadlight.settings.parts import Duration, Name, Part, Wording


class Identity(Part):
    """``[identity]``: when contacts shared by leads make them one person."""

    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "CN"
    """The country whose phone numbers come without a country code (ISO 3166)."""
    people_at_most: Annotated[int, Field(ge=2)] = 10
    """A merge that would make one person of more leads than this is held for review."""
    shared_at_most: Annotated[int, Field(ge=2)] = 4
    """A contact of more leads than this is a switchboard's: it glues nobody."""


class LockRule(Wording):
    """``[locks.NAME]``: dated facts that forbid contact, whatever they are: any of them sets the lock.

    An event of a kind in ``set_by`` sets it from its ``at``, for ``lasts`` (for good without), until a later event of a
    kind in ``lifted_by``. An ``attribute`` sets it while the newest known version has one of ``values``. ``who`` is
    the label or attribute that names who set it.
    """

    set_by: tuple[Name, ...] = ()
    where: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    """Only events whose label is one of these set it."""
    lifted_by: tuple[Name, ...] = ()
    lifted_where: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    """Only events whose label is one of these lift it."""
    lasts: Annotated[Duration, Field(gt=0, le=36_525 * DAY)] | None = None
    attribute: Name | None = None
    values: tuple[str | float, ...] = ()
    who: Name | None = None

    @model_validator(mode="after")
    def _set_by_something(self) -> Self:
        if bool(self.set_by) == (self.attribute is not None) or bool(self.values) != (self.attribute is not None):
            message = 'a lock needs set_by = ["KIND"], or attribute = "COLUMN" with values = ["Yes"]'
            raise ValueError(message)
        of_events = [name for name in ("where", "lifted_by", "lifted_where", "lasts") if getattr(self, name)]
        if self.attribute is not None and of_events:
            message = (
                f"{', '.join(of_events)}: only for a lock set by events; an attribute's lock holds while it says so"
            )
            raise ValueError(message)
        if self.lifted_where and not self.lifted_by:
            message = 'lifted_where needs lifted_by = ["KIND"]'
            raise ValueError(message)
        both = [kind for kind in self.lifted_by if kind in self.set_by]
        if both and not (self.where and self.lifted_where):
            message = f"{both[0]!r} both sets and lifts it: tell the two apart by where and lifted_where"
            raise ValueError(message)
        return self
