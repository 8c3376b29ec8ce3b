"""Live facts as they are sent over HTTP, and what is answered: their shapes, limits and examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from serving.schemas import Asked, Identifier, Int64, Moment, Plain

FACTS_AT_MOST = 1_000
Text = Annotated[str, Field(max_length=200)]


class LiveEvent(Asked):
    """One dated fact about a lead, to be kept.

    The same `event_id` with the same content changes nothing; with other content it corrects what came before, which
    goes on to count for the moments at which it was known. `amount` is in whole thousandths (199 yuan are 199000). A
    moment without an offset is local time of the site. When it arrived is set by Leadlight.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"event_id": "e1", "lead_id": "L1", "kind": "view_course", "at": "2025-10-27T09:30:00+08:00"}]
        }
    )

    event_id: Identifier
    lead_id: Identifier
    kind: str
    at: Moment
    amount: Int64 | None = None
    labels: dict[str, str | None] = Field(default_factory=dict)


class EventsRequest(Asked):
    """1 to 1,000 events; all are kept, or none with all that is wrong with them."""

    events: Annotated[list[LiveEvent], Field(min_length=1, max_length=FACTS_AT_MOST)]


class OutcomesRequest(Asked):
    """1 to 1,000 outcomes: events of the kinds that sales report back (follow-up status, order, lost)."""

    outcomes: Annotated[list[LiveEvent], Field(min_length=1, max_length=FACTS_AT_MOST)]


class LeadRequest(Asked):
    """A lead as it now stands: what is left out of `attributes` is unknown from `at` on.

    A new lead must say its `channel`; `created_at` is the moment of arrival if it is not given. Contacts are hashed
    with the site's key to recognise people and masked for display; they are kept in no other form.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"channel": "referral", "attributes": {"city": "上海"}, "phone": "15112348109"}]
        }
    )

    channel: str | None = None
    created_at: Moment | None = None
    at: Moment | None = None
    attributes: dict[str, Plain] = Field(default_factory=dict)
    phone: Text | None = None
    wechat: Text | None = None
    email: Text | None = None
    device: Text | None = None


Result = Literal["added", "unchanged", "corrected"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of each fact, in the order of the request; `seq` is the log's newest number afterwards.

    `leads` are the people whose scores now count them: their canonical ids.
    """

    results: tuple[Result, ...]
    leads: tuple[str, ...]
    seq: int


@dataclass(frozen=True, slots=True)
class Erased:
    """What was removed of a person, and where; re-sent facts of these leads are refused from now on."""

    leads: tuple[str, ...]
    removed: dict[str, int]
