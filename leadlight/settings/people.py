"""How a site's leads are recognised as one person, and when nobody may contact them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

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
    """``[locks.NAME]``: dated facts that forbid contact; any of them sets the lock.

    An event of a kind in ``set_by`` sets it from its ``at``, for ``lasts`` (for good without), until a later event of a
    kind in ``lifted_by``. An ``attribute`` sets it while the newest known version has one of ``values``. ``who`` is
    the label or attribute that names who set it.
    """

    set_by: tuple[Name, ...] = ()
    where: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    """Only events whose label is one of these set it."""
    lifted_by: tuple[Name, ...] = ()
    lasts: Duration | None = None
    attribute: Name | None = None
    values: tuple[str, ...] = ()
    who: Name | None = None

    @model_validator(mode="after")
    def _set_by_something(self) -> Self:
        if bool(self.set_by) == (self.attribute is not None) or bool(self.values) != (self.attribute is not None):
            message = 'a lock needs set_by = ["KIND"], or attribute = "COLUMN" with values = ["Yes"]'
            raise ValueError(message)
        return self
