"""A lead's tags as they are answered over HTTP: their shapes and examples."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import AwareDatetime, ConfigDict
from pydantic.config import JsonDict

_TAG: JsonDict = {
    "name": "trials_7d",
    "what": "trial classes attended in the last 7 days",
    "value": 1,
    "value_words": "1",
    "as_of": "2025-10-27T09:30:00Z",
    "valid_until": "2025-10-31T02:15:00.000001Z",
}
_CITY: JsonDict = {
    "name": "city",
    "what": "city",
    "value": None,
    "value_words": "unknown",
    "as_of": "2025-10-27T09:30:00Z",
    "valid_until": None,
}


@dataclass(frozen=True, slots=True)
class Tag:
    """One feature of a lead: `what` it is and its value in words, `zh` or `en`.

    `value` is true of the moment `as_of`, and stays so until `valid_until` if nothing new arrives (null: for good).
    A null `value` is unknown, or has not happened yet, as `value_words` say.
    """

    name: str
    what: str
    value: int | float | str | None
    value_words: str
    as_of: AwareDatetime
    valid_until: AwareDatetime | None


@dataclass(frozen=True, slots=True)
class TagsAnswer:
    """The tags asked for, in the order of the names; `lead_id` is the lead that the person is named after."""

    __pydantic_config__ = ConfigDict(
        json_schema_extra={"examples": [{"lead_id": "L000017", "as_of": _TAG["as_of"], "tags": [_TAG]}]}
    )

    lead_id: str
    as_of: AwareDatetime
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """The missing fact that would tell the model most.

    Were it known, the lead's log-odds would move by `points`, up or down, and its probability by `percentage_points`:
    means over the values that leads had in training, all else as it is.
    """

    name: str
    what: str
    points: float
    percentage_points: float


@dataclass(frozen=True, slots=True)
class Completeness:
    """How many of a lead's attributes are known; `share` is null where the site has none.

    `missing` names the others; `most_telling` is null if none would move the score, or if the model cannot say.
    """

    known: int
    of: int
    share: float | None
    missing: tuple[str, ...]
    most_telling: Telling | None


@dataclass(frozen=True, slots=True)
class ProfileAnswer:
    """All tags of a lead by theme, and how complete what is known of it is."""

    __pydantic_config__ = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lead_id": "L000017",
                    "as_of": _TAG["as_of"],
                    "value": [],
                    "life_cycle": [],
                    "behaviour": [_TAG],
                    "channel_profile": [_CITY],
                    "completeness": {
                        "known": 1,
                        "of": 2,
                        "share": 0.5,
                        "missing": ["city"],
                        "most_telling": {
                            "name": "city",
                            "what": "city",
                            "points": 0.21,
                            "percentage_points": 3.4,
                        },
                    },
                }
            ]
        }
    )

    lead_id: str
    as_of: AwareDatetime
    value: tuple[Tag, ...]
    life_cycle: tuple[Tag, ...]
    behaviour: tuple[Tag, ...]
    channel_profile: tuple[Tag, ...]
    completeness: Completeness
