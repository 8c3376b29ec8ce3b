"""What every settings file is made of: parts with checked values, and faults told all at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from leadlight.schema import DAY, HOUR, MINUTE, SECOND, Micros

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

P = TypeVar("P", bound=BaseModel)
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
