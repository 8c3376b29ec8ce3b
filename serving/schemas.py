"""What is asked over HTTP and what is answered: the shapes, their limits and their examples."""

from __future__ import annotations

import datetime as dt
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictInt,
    StringConstraints,
    Tag,
    WithJsonSchema,
)
from pydantic.config import JsonDict

from leadlight.grading import Grade
from leadlight.model.blended import Rung
from leadlight.schema import ID_AT_MOST, ID_PATTERN

LEADS_AT_MOST = 1_000
EVENTS_AT_MOST = 10_000


def _parse_moment(value: object) -> dt.datetime:
    text = value if isinstance(value, str) else ""
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        message = 'a moment is ISO 8601 text such as "2025-10-27T09:30:00+08:00"'
        if "T" in text and " " in text:
            message += "; in an address its + is written %2B"
        raise ValueError(message) from None


def _parse_plain(value: object) -> int | float | str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    message = "text, a finite number, or null for unknown"
    raise ValueError(message)


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=ID_AT_MOST, pattern=f"^{ID_PATTERN}$")]
Moment = Annotated[
    dt.datetime,
    BeforeValidator(_parse_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2025-10-27T09:30:00+08:00"]}),
]
Int64 = Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)]
Plain = Annotated[
    int | float | str | None,
    BeforeValidator(_parse_plain),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]}),
]


class Asked(BaseModel):
    """A part of a request: what is not named here is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NewEvent(Asked):
    """One dated fact of a lead that Leadlight does not hold.

    `amount` is in whole thousandths (199 yuan are 199000). `arrived_at` is when the fact became known; without it the
    kind's declared delay is added to `at`. A moment without an offset is local time of the site.
    """

    event_id: Identifier
    kind: str
    at: Moment
    arrived_at: Moment | None = None
    amount: Int64 | None = None
    labels: dict[str, str | None] = Field(default_factory=dict)


class KnownLead(Asked):
    """A lead of the history, by its id."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lead_id": "L000017"}]})

    lead_id: Identifier


class NewLead(Asked):
    """A lead that Leadlight does not hold, with all that is known of it; it is scored and not kept."""

    lead_id: Identifier
    created_at: Moment
    channel: str
    attributes: dict[str, Plain] = Field(default_factory=dict)
    events: Annotated[list[NewEvent], Field(max_length=EVENTS_AT_MOST, default_factory=list)]


def _variant(lead: Any) -> str:  # noqa: ANN401 - whatever JSON brings
    names = set(lead) if isinstance(lead, dict) else set()
    return "new" if names & (NewLead.model_fields.keys() - {"lead_id"}) else "known"


AnyLead = Annotated[
    Annotated[KnownLead, Tag("known")] | Annotated[NewLead, Tag("new")],
    Discriminator(_variant),
]


class ScoresRequest(Asked):
    """Leads to score, 1 to 1,000, known ones by id or new ones inline; the answer has the same order.

    `target` is one of the site's (its first by default); `as_of` is the moment the question is asked of (the site's
    clock by default). Only facts that had happened and arrived by then count.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"leads": [{"lead_id": "L000017"}, {"lead_id": "L000018"}]},
                {
                    "leads": [
                        {
                            "lead_id": "new-1",
                            "created_at": "2025-10-26T19:02:00+08:00",
                            "channel": "referral",
                            "attributes": {"subject": "编程"},
                            "events": [{"event_id": "e1", "kind": "attend_trial", "at": "2025-10-26T20:10:00+08:00"}],
                        }
                    ]
                },
            ]
        }
    )

    leads: Annotated[list[AnyLead], Field(min_length=1, max_length=LEADS_AT_MOST)]
    target: str | None = None
    as_of: Moment | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """Between which probabilities the truth is to be expected (Venn-Abers pair)."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FeatureShare:
    """One feature that took part: the value used (null is unknown) and its log-odds."""

    name: str
    words: str
    value: int | float | str | None
    points: float


@dataclass(frozen=True, slots=True)
class Reason:
    """One group of features: its share in log-odds (`points`) and in `percentage_points` of probability."""

    group: str
    words: str
    direction: Literal["up", "down"]
    points: float
    percentage_points: float
    features: tuple[FeatureShare, ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """Why a lead is not scored and not to be contacted.

    `left`: it has left the target's population; `not_yet`: it is not yet in it; `rule`: the site's lock called `name`
    (else `name` is the kind). `since` and `until` say how long (null: from the start, for good), `who` who set it
    (null: unknown); `words` say all of it.
    """

    kind: Literal["left", "not_yet", "rule"]
    name: str
    since: AwareDatetime | None
    until: AwareDatetime | None
    who: str | None
    words: str


_EXAMPLE: JsonDict = {
    "lead_id": "L000017",
    "target": "first_order",
    "probability": 0.5,
    "interval": {"low": 0.41, "high": 0.56},
    "score": 97,
    "grade": "A",
    "base": -1.5,
    "base_probability": 0.182426,
    "raw": 0.0,
    "reasons": [
        {
            "group": "trial",
            "words": "trial classes attended in the last 7 days: 1",
            "direction": "up",
            "points": 1.5,
            "percentage_points": 31.7574,
            "features": [
                {
                    "name": "trials_7d",
                    "words": "trial classes attended in the last 7 days: 1",
                    "value": 1,
                    "points": 1.5,
                }
            ],
        }
    ],
    "locks": [],
    "as_of": "2025-10-27T00:00:00Z",
    "features_as_of": "2025-10-27T00:00:00Z",
    "scored_at": "2025-10-27T00:00:03Z",
    "model_version": "7",
    "rung": "blend",
    "degraded": False,
    "flagged": True,
    "explored": False,
    "answer_id": "5f1c9a7e20d4b3680000002a",
}


@dataclass(frozen=True, slots=True)
class Score:
    """A lead's score, or the locks that stand in its place (then the numbers are null and there are no reasons).

    `base` and the `points` of all reasons sum to `raw` (log-odds, to 1e-9); `base_probability` and their
    `percentage_points` sum to `probability`. Percentage points share out the way from the base's probability to the
    lead's in proportion to the points. `score` is the percentile of the probability among the calibration rows.
    `as_of` is the moment of the question, `features_as_of` the moment the stored feature values were evaluated at;
    they are checked to hold unchanged at `as_of`. `flagged`: the probability is at or above the operating threshold.
    `explored`: it is not, but the lead was drawn into the site's exploration share, to be worked like a flagged one.
    `answer_id` is the answer's name in the score journal. `rung` says what kind of model answers, by how much evidence
    there was to learn from: `base_rate`, the site's points table (`scorecard`), `logistic`, a `blend` of LightGBM and
    logistic regression, or LightGBM alone (`trees`).
    """

    __pydantic_config__ = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    lead_id: str
    target: str
    _: KW_ONLY
    probability: float | None = None
    interval: Interval | None = None
    score: int | None = None
    grade: Grade | None = None
    base: float | None = None
    base_probability: float | None = None
    raw: float | None = None
    reasons: tuple[Reason, ...] = ()
    locks: tuple[Lock, ...] = ()
    as_of: AwareDatetime
    features_as_of: AwareDatetime
    scored_at: AwareDatetime
    model_version: str
    rung: Rung
    degraded: bool = False
    flagged: bool | None = None
    explored: bool = False
    answer_id: str | None = None


@dataclass(frozen=True, slots=True)
class ScoresAnswer:
    """One score a lead, in the order of the request."""

    scores: tuple[Score, ...]
