"""From a request to grades with reasons. Read this first.

``intake``     the leads asked for become questions (lead, as_of), or every fault is told at once
``locks``      who has left the population is not scored
``vectors``    feature values: the stored row while it is exact, else the log evaluated at as_of
``champion``   the model that may serve: probability, interval, contributions, once for all leads
``reasons``    contributions in words that sum to the score
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass

from features.history import Value
from leadlight.schema import from_micros
from leadlight.settings import Site
from serving.champion import Champion
from serving.desk import Desk
from serving.exploration import Exploration
from serving.intake import Door, Question, questions
from serving.language import Language
from serving.locks import lock_facts, locks
from serving.problems import unprocessable
from serving.reasons import Share, reasons, to_probability
from serving.schemas import Interval, KnownLead, Lock, NewLead, Score
from serving.vectors import Vector, vectors

MANY = 32
"""Leads from which on the model's work is worth more than one thread."""


@dataclass(frozen=True)
class Asker:
    """To whom and when an answer is given."""

    language: Language
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """A score, the question it answers, and the vector it was made of, which a locked lead has not."""

    score: Score
    question: Question
    vector: Vector | None


def score(
    desk: Desk,
    champion: Champion,
    door: Door,
    leads: Sequence[KnownLead | NewLead],
    *,
    as_of: dt.datetime | None,
    asker: Asker,
) -> list[Answered]:
    """A score for each of ``leads``, in order; a 422 with every fault if one of them cannot be asked about."""
    asked, faults = questions(door, leads, as_of)
    if faults:
        raise unprocessable(faults)
    held = [_locks_of(desk, champion, question, asker.language) for question in asked]
    free = [question for question, locked in zip(asked, held, strict=True) if not locked]
    rows = vectors(desk, free)
    scores = score_vectors(desk.site, champion, free, rows, exploration=desk.exploration, asker=asker)
    scored = map(Answered, scores, free, rows)
    return [
        Answered(_locked(champion, question, locked, asker), question, None) if locked else next(scored)
        for question, locked in zip(asked, held, strict=True)
    ]


def score_vectors(
    site: Site,
    champion: Champion,
    asked: Sequence[Question],
    rows: Sequence[Vector],
    *,
    exploration: Exploration,
    asker: Asker,
    threads: int | None = None,
) -> list[Score]:
    """What the champion says of ready vectors, with reasons: one call of the model for all of them.

    ``threads`` are the model's, if another than this function knows better; they change no answer.
    """
    if not rows:
        return []
    columns = columns_of(champion, rows)
    worthwhile = 1 if len(rows) < MANY else os.cpu_count() or 1
    found = champion.bundle.model.score(columns, threads=threads or worthwhile)
    numbers = zip(
        found.raw.tolist(),
        found.probability.tolist(),
        found.low.tolist(),
        found.high.tolist(),
        found.contributions.tolist(),
        strict=True,
    )
    return [
        _scored(site, champion, question, row, _Numbers(found.base, *each), exploration=exploration, asker=asker)
        for question, row, each in zip(asked, rows, numbers, strict=True)
    ]


def columns_of(champion: Champion, rows: Sequence[Vector]) -> dict[str, list[Value]]:
    """The champion's columns of some vectors."""
    return {column.name: [row.values[column.name] for row in rows] for column in champion.columns}


@dataclass(frozen=True)
class _Numbers:
    """One row of the model's answer."""

    base: float
    raw: float
    probability: float
    low: float
    high: float
    contributions: list[float]


def _locks_of(desk: Desk, champion: Champion, question: Question, language: Language) -> tuple[Lock, ...]:
    held = desk.roster.held.get(question.lead_id) if question.facts is None else lock_facts(desk.site, question.facts)
    return locks(desk.site, champion.target, held, question.as_of, language)


def _locked(champion: Champion, question: Question, held: tuple[Lock, ...], asker: Asker) -> Score:
    as_of = from_micros(question.as_of)
    return Score(
        lead_id=question.lead_id,
        target=champion.target,
        locks=held,
        as_of=as_of,
        features_as_of=as_of,
        scored_at=asker.at,
        model_version=champion.version,
        rung=champion.bundle.model.rung,
        degraded=question.late,
    )


def _scored(
    site: Site,
    champion: Champion,
    question: Question,
    row: Vector,
    numbers: _Numbers,
    *,
    exploration: Exploration,
    asker: Asker,
) -> Score:
    cuts = champion.bundle.cuts
    flagged = cuts.flagged(numbers.probability)
    shares = [
        Share(column, row.values[column.name], points)
        for column, points in zip(champion.columns, numbers.contributions, strict=True)
    ]
    return Score(
        lead_id=question.lead_id,
        target=champion.target,
        probability=numbers.probability,
        interval=Interval(numbers.low, numbers.high),
        score=cuts.score(numbers.probability),
        grade=cuts.grade(numbers.probability),
        base=numbers.base,
        base_probability=to_probability(numbers.base),
        raw=numbers.raw,
        reasons=reasons(shares, base=numbers.base, raw=numbers.raw, site=site, language=asker.language),
        as_of=from_micros(question.as_of),
        features_as_of=from_micros(row.as_of),
        scored_at=asker.at,
        model_version=champion.version,
        rung=champion.bundle.model.rung,
        degraded=row.degraded or question.late,
        flagged=flagged,
        explored=exploration.draws(champion.target, question.lead_id, question.as_of, flagged=flagged),
    )
