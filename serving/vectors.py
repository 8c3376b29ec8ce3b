"""The feature values a score is made of: the stored row while it is exact, else the log evaluated at ``as_of``."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from features.history import LeadFacts, Value
from features.store import StoreUnavailable
from features.store.door import Row
from leadlight.schema import AS_OF, ROW_SEQ, VALID_UNTIL, Micros
from serving.desk import Desk
from serving.intake import Question

_log = logging.getLogger("leadlight.serving")


@dataclass(frozen=True)
class Vector:
    """Every column of the catalogue for one question, and the moment the lead's own columns were evaluated at.

    ``values`` also has ``VALID_UNTIL``: when the next of the lead's own columns changes if nothing new arrives.
    ``degraded`` if they had to be evaluated because the store could not be asked: as right, but slower.
    """

    values: Mapping[str, Value]
    as_of: Micros
    degraded: bool = False


def vectors(desk: Desk, questions: Sequence[Question]) -> list[Vector]:
    """The vector of each question, in order; every lead was created before its ``as_of``."""
    own = _lead_vectors(desk, questions)
    places = [(channel_of(desk, question), question.as_of) for question in questions]
    context = {place: desk.contexts.at(*place) for place in dict.fromkeys(places)}
    return [
        replace(vector, values={**vector.values, **context[place]}) for vector, place in zip(own, places, strict=True)
    ]


def channel_of(desk: Desk, question: Question) -> str:
    """The channel a question's lead came from."""
    return desk.roster.members[question.lead_id].channel if question.facts is None else question.facts.channel


def _lead_vectors(desk: Desk, questions: Sequence[Question]) -> list[Vector]:
    known = [question.lead_id for question in questions if question.facts is None]
    stored, degraded = _stored(desk, known)
    exact = [_exact(desk, each, stored.get(each.lead_id)) if each.facts is None else None for each in questions]
    rest = [each.lead_id for each, found in zip(questions, exact, strict=True) if found is None and each.facts is None]
    facts = desk.past.facts(rest) if rest else {}
    return [
        found or _evaluated(desk, each.facts or facts[each.lead_id], each.as_of, degraded=degraded)
        for each, found in zip(questions, exact, strict=True)
    ]


def _stored(desk: Desk, lead_ids: Sequence[str]) -> tuple[Mapping[str, Row | None], bool]:
    """The stored rows, and whether the store could not be asked: then all is evaluated."""
    try:
        return desk.store.read_leads(lead_ids) if lead_ids else {}, False
    except StoreUnavailable as error:
        _log.warning("store_unavailable", extra={"reason": str(error)})
        return {}, True


def _exact(desk: Desk, question: Question, row: Row | None) -> Vector | None:
    """A stored row if it has at ``as_of`` the values it was evaluated with, from all facts there are."""
    if row is None:
        return None
    evaluated_at, valid_until, row_seq = (cast("int", row[name]) for name in (AS_OF, VALID_UNTIL, ROW_SEQ))
    exact = evaluated_at <= question.as_of < valid_until and desk.past.is_exact(question.lead_id, row_seq)
    return Vector(row, evaluated_at) if exact else None


def _evaluated(desk: Desk, facts: LeadFacts, as_of: Micros, *, degraded: bool) -> Vector:
    row = desk.evaluate(facts, as_of)
    return Vector({**row.values, VALID_UNTIL: row.valid_until}, as_of, degraded)
