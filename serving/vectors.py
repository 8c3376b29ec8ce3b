"""The feature values a score is made of: the stored row while it is exact, else the log evaluated at ``as_of``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from features.history import LeadFacts, Value
from features.store.door import Row
from leadlight.schema import AS_OF, VALID_UNTIL, Micros
from serving.desk import Desk
from serving.intake import Question


@dataclass(frozen=True)
class Vector:
    """Every column of the catalogue for one question, and the moment the lead's own columns were evaluated at."""

    values: Mapping[str, Value]
    as_of: Micros


def vectors(desk: Desk, questions: Sequence[Question]) -> list[Vector]:
    """The vector of each question, in order; every lead was created before its ``as_of``."""
    own = _lead_vectors(desk, questions)
    places = [(channel_of(desk, question), question.as_of) for question in questions]
    context = {place: desk.contexts.at(*place) for place in dict.fromkeys(places)}
    return [
        Vector({**vector.values, **context[place]}, vector.as_of) for vector, place in zip(own, places, strict=True)
    ]


def channel_of(desk: Desk, question: Question) -> str:
    """The channel a question's lead came from."""
    return desk.roster.members[question.lead_id].channel if question.facts is None else question.facts.channel


def _lead_vectors(desk: Desk, questions: Sequence[Question]) -> list[Vector]:
    known = [question.lead_id for question in questions if question.facts is None]
    stored = desk.store.read_leads(known)
    exact = [_exact(stored[each.lead_id], each.as_of) if each.facts is None else None for each in questions]
    rest = [each.lead_id for each, found in zip(questions, exact, strict=True) if found is None and each.facts is None]
    facts = desk.history.facts(rest) if rest else {}
    return [
        found or _evaluated(desk, each.facts or facts[each.lead_id], each.as_of)
        for each, found in zip(questions, exact, strict=True)
    ]


def _exact(row: Row | None, as_of: Micros) -> Vector | None:
    """A stored row if it has at ``as_of`` the values it was evaluated with.

    A history changes with a build alone, and a build writes its rows anew: so time alone makes a row stale.
    """
    if row is None:
        return None
    evaluated_at, valid_until = (cast("Micros", row[name]) for name in (AS_OF, VALID_UNTIL))
    return Vector(row, evaluated_at) if evaluated_at <= as_of < valid_until else None


def _evaluated(desk: Desk, facts: LeadFacts, as_of: Micros) -> Vector:
    return Vector(desk.evaluate(facts, as_of).values, as_of)
