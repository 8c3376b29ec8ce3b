"""Answers on their way into the journal: named, then told in the journal's terms with what the challenger says of them.

The first is done while somebody waits for the answer, the second when nobody does.
"""

from __future__ import annotations

import itertools
import json
import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from features.history import Value
from leadlight.journal import Answer
from leadlight.journal.answer import Source
from leadlight.model.margins import sigmoid
from leadlight.schema import to_micros
from serving.champion import Champion
from serving.exploration import Exploration
from serving.schemas import Lock, Reason, Score
from serving.scoring import Answered, columns_of
from serving.vectors import Vector

_log = logging.getLogger("leadlight.serving")


@dataclass(frozen=True)
class Names:
    """Names that no other answer has, in the order of answering: 8 random bytes a process, and a count."""

    _run: str = field(default_factory=lambda: secrets.token_hex(8))
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def name(self, given: Sequence[Answered]) -> list[Answered]:
        """The answers, each with an ``answer_id``."""
        return [
            replace(each, score=replace(each.score, answer_id=f"{self._run}{next(self._count):08x}")) for each in given
        ]


@dataclass(frozen=True)
class Told:
    """From whom answers came, and who looks on: what all answers to one request have in common."""

    champion: Champion
    challenger: Champion | None
    exploration: Exploration
    source: Source


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer that is to be journalled."""

    answered: Answered
    told: Told


def to_answers(entries: Sequence[Entry]) -> list[Answer]:
    """The entries in the journal's terms, in order. A challenger that fails leaves its probability out, no more."""
    answers: dict[int, Answer] = {}
    for _, grouped in itertools.groupby(range(len(entries)), key=lambda place: id(entries[place].told)):
        places = list(grouped)
        told, given = entries[places[0]].told, [entries[place].answered for place in places]
        answers.update(zip(places, _of_one_request(told, given), strict=True))
    return list(answers.values())


def _of_one_request(told: Told, given: Sequence[Answered]) -> Iterator[Answer]:
    vectors = [each.vector for each in given if each.vector is not None]
    shadows = iter(_shadow(told.challenger, vectors))
    for each in given:
        yield _answer(told, each, None if each.vector is None else next(shadows))


def _shadow(challenger: Champion | None, vectors: Sequence[Vector]) -> Sequence[float | None]:
    """What the challenger says of the vectors; nothing if there is none, or if it cannot score them."""
    if challenger is None or not vectors:
        return [None] * len(vectors)
    try:
        found: list[float] = sigmoid(challenger.bundle.model.margin(columns_of(challenger, vectors))).tolist()
    except Exception as fault:  # noqa: BLE001  whatever is wrong with a challenger costs no answer of the champion
        missing = sorted({column.name for column in challenger.columns} - vectors[0].values.keys())
        words = {"target": challenger.target, "version": challenger.version, "answers": len(vectors)}
        _log.warning("shadow_failed", extra={**words, "reason": type(fault).__name__, "missing": missing})
        return [None] * len(vectors)
    return found


def _answer(told: Told, answered: Answered, shadow: float | None) -> Answer:
    score, vector, champion, challenger = answered.score, answered.vector, told.champion, told.challenger
    interval = score.interval
    probability = told.exploration.probability(score.target, flagged=score.flagged is not False)
    return Answer(
        id=_name(score),
        lead_id=score.lead_id,
        target=score.target,
        asked_at=to_micros(score.scored_at),
        as_of=to_micros(score.as_of),
        features_as_of=to_micros(score.features_as_of),
        model_version=score.model_version,
        bundle_sha256=champion.bundle.sha256,
        source=told.source,
        inline=answered.question.facts is not None,
        probability=score.probability,
        raw=score.raw,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        grade=score.grade,
        flagged=bool(score.flagged),
        vector=None if vector is None else _json(used_values(vector.values, _models(champion, challenger))),
        locks=_json([lock_terms(lock) for lock in score.locks]),
        reasons=_json([_reason(reason) for reason in score.reasons]),
        degraded=score.degraded,
        shadow_version=None if challenger is None or vector is None else challenger.version,
        shadow_bundle_sha256=None if challenger is None or vector is None else challenger.bundle.sha256,
        shadow_probability=shadow,
        explore_probability=probability,
        explored=score.explored,
    )


def used_values(values: Mapping[str, Value], models: Iterable[Champion]) -> dict[str, Value]:
    """The columns that any of the models reads, as far as they are there."""
    wanted = dict.fromkeys(column.name for model in models for column in model.columns)
    return {name: values[name] for name in wanted if name in values}


def lock_terms(lock: Lock) -> dict[str, str | int | None]:
    """A lock without its words and without whoever set it."""
    since, until = (None if moment is None else to_micros(moment) for moment in (lock.since, lock.until))
    return {"kind": lock.kind, "name": lock.name, "since": since, "until": until}


def _json(document: object) -> str:
    """Without blanks; floats come back to the bit."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _models(champion: Champion, challenger: Champion | None) -> list[Champion]:
    return [champion] if challenger is None else [champion, challenger]


def _name(score: Score) -> str:
    if score.answer_id is None:
        raise ValueError("an answer without a name cannot be journalled")
    return score.answer_id


def _reason(reason: Reason) -> dict[str, object]:
    """A reason as it was read; its features' shares follow from the vector and the bundle."""
    return {"group": reason.group, "words": reason.words, "points": reason.points}
