"""How the process, its journal and its champions are, as load balancers and operators ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class JournalHealth:
    """How the score journal is doing.

    `waiting` answers are still to be written, `written` ones were since the start; `failing`: its database does not
    take them at the moment; `lost` ones never will be; of `shadow_failed` ones the challenger could say nothing.
    """

    waiting: int
    failing: bool
    written: int
    lost: int
    shadow_failed: int


@dataclass(frozen=True, slots=True)
class Health:
    """The process answers."""

    journal: JournalHealth
    status: Literal["ok"] = "ok"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether scores are answered, and the champion's version of each target (null: none, see GET /v1/model)."""

    champions: dict[str, str | None]
    status: Literal["ready"] = "ready"
