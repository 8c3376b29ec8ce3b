"""A lead as people look at it: the facts known at the moment of its score, and the score."""

from __future__ import annotations

import operator

from features.history import LeadFacts, Value
from leadlight.schema import CHANNEL, Micros, from_micros
from serving.locks import is_known
from serving.schemas import Score
from serving.schemas_leads import Fact, LeadAnswer


def lead_answer(facts: LeadFacts, score: Score, as_of: Micros) -> LeadAnswer:
    """What was known of the lead at ``as_of``, newest event first."""
    known = [event for event in facts.events if is_known(event, as_of)]
    known.sort(key=operator.attrgetter("at", "event_id"), reverse=True)
    return LeadAnswer(
        lead_id=facts.lead_id,
        created_at=from_micros(facts.created_at),
        channel=facts.channel,
        contact=facts.contact,
        attributes=_attributes(facts, as_of),
        events=tuple(
            Fact(
                event_id=event.event_id,
                kind=event.kind,
                at=from_micros(event.at),
                arrived_at=from_micros(event.arrived_at),
                amount=event.amount,
                labels={name: value for name, value in (event.labels or {}).items() if value is not None},
            )
            for event in known
        ),
        score=score,
    )


def _attributes(facts: LeadFacts, as_of: Micros) -> dict[str, Value]:
    known = (version for version in facts.versions if is_known(version, as_of))
    newest = max(known, key=operator.attrgetter("at", "arrived_at", "member"), default=None)
    return {} if newest is None else {name: value for name, value in newest.values.items() if name != CHANNEL}
