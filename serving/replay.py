"""An answer of the journal computed again from what it was made of, and compared bit for bit.

From the journal's vector and the bundle on the shelf; and, if asked, the vector itself from the history.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from features.history import Value
from leadlight.journal import Answer
from leadlight.model.bundle import Bundle, load_bundle
from leadlight.model.manifest import read_checked
from leadlight.model.margins import sigmoid
from leadlight.model.verify import verify_in_child
from leadlight.settings import SiteError
from leadlight.shelf import bundle_folder
from serving.desk import Desk
from serving.entries import lock_terms
from serving.exploration import Exploration
from serving.intake import Question
from serving.locks import locks
from serving.vectors import channel_of

State = Literal["equal", "differs", "no bundle"]


@dataclass(frozen=True)
class Difference:
    """What was answered, and what it is when computed again."""

    what: str
    answered: object
    now: object

    def __str__(self) -> str:
        return f"{self.what}: answered {self.answered!r}, now {self.now!r}"


@dataclass(frozen=True)
class Replayed:
    """What became of an answer that was computed again; ``notes`` say what could not be, and why."""

    state: State
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Bundles:
    """The bundles of a state's shelf; each is checked, in a child process too, when it is opened first."""

    state: Path
    _opened: dict[str, Bundle] = field(default_factory=dict)

    def open(self, target: str, version: str, sha256: str) -> Bundle:
        """The bundle of this name; a ``SiteError`` if it is not there, or another by now."""
        if sha256 not in self._opened:
            folder = bundle_folder(self.state, target, int(version))
            read_checked(folder, expected=sha256)
            verify_in_child(folder, expected=sha256)
            self._opened[sha256] = load_bundle(folder, expected=sha256)
        return self._opened[sha256]


def replay(answer: Answer, *, bundles: Bundles, exploration: Exploration, past: Desk | None = None) -> Replayed:
    """The answer computed again from its vector and its bundle; with a ``past`` the vector as well."""
    differences: list[Difference] = []
    notes: list[str] = []
    missing = False
    if answer.vector is None:
        notes.append("the lead was locked: no number was given, so there is none to compute")
    else:
        values: dict[str, Value] = json.loads(answer.vector)
        try:
            bundle = bundles.open(answer.target, answer.model_version, answer.bundle_sha256)
            differences += _numbers(answer, bundle, values)
        except SiteError as error:
            missing = True
            notes += [f"version {answer.model_version} cannot answer again: {fault}" for fault in error.faults]
        differences += _draw(answer, exploration)
        try:
            differences += _shadow(answer, bundles, values)
        except SiteError as error:
            notes += [f"the challenger's version {answer.shadow_version}: {fault}" for fault in error.faults]
    if past is not None:
        found, said = _past(answer, past)
        differences += found
        notes += said
    return Replayed("no bundle" if missing else "differs" if differences else "equal", tuple(differences), tuple(notes))


def _numbers(answer: Answer, bundle: Bundle, values: Mapping[str, Value]) -> Iterator[Difference]:
    """What the bundle says of the vector, against what was said."""
    found = bundle.model.score(_one_row(bundle, values))
    probability = found.probability.tolist()[0]
    now: dict[str, object] = {
        "raw": found.raw.tolist()[0],
        "probability": probability,
        "low": found.low.tolist()[0],
        "high": found.high.tolist()[0],
        "grade": bundle.cuts.grade(probability),
        "flagged": bundle.cuts.flagged(probability),
    }
    yield from _different((name, getattr(answer, name), value) for name, value in now.items())
    contributions = dict(zip(found.columns, found.contributions[0].tolist(), strict=True))
    told = json.loads(answer.reasons)
    yield from _different(_reasons(told, contributions, dict(zip(found.columns, found.groups, strict=True))))


def _reasons(
    told: Sequence[Mapping[str, Any]], contributions: Mapping[str, float], groups: Mapping[str, str]
) -> Iterator[tuple[str, object, object]]:
    """The log-odds of each reason, as they were told and as they are found."""
    found: dict[str, list[float]] = defaultdict(list)
    for column, points in contributions.items():
        if points != 0.0:
            found[groups[column]].append(points)
    said = {reason["group"]: reason["points"] for reason in told}
    for group in dict.fromkeys([*said, *found]):
        yield f"reason {group}", said.get(group), math.fsum(found[group]) if group in found else None


def _draw(answer: Answer, exploration: Exploration) -> Iterator[Difference]:
    """Whether the lead is drawn again, by the share that was logged."""
    if answer.explore_probability is not None:
        number = exploration.number(answer.target, answer.lead_id, answer.as_of)
        yield from _different([("explored", answer.explored, number < answer.explore_probability)])


def _shadow(answer: Answer, bundles: Bundles, values: Mapping[str, Value]) -> Iterator[Difference]:
    if answer.shadow_version is None or answer.shadow_bundle_sha256 is None or answer.shadow_probability is None:
        return
    bundle = bundles.open(answer.target, answer.shadow_version, answer.shadow_bundle_sha256)
    now = sigmoid(bundle.model.margin(_one_row(bundle, values))).tolist()[0]
    yield from _different([("shadow_probability", answer.shadow_probability, now)])


def _past(answer: Answer, desk: Desk) -> tuple[list[Difference], list[str]]:
    """The lead's vector, or its locks, evaluated again from the history at the answer's ``as_of``."""
    if answer.inline:
        return [], ["the request brought the lead's facts, which were not kept: its vector cannot be evaluated again"]
    facts = desk.past.facts([answer.lead_id]).get(answer.lead_id)
    if facts is None:
        return [], [f"the history does not know lead {answer.lead_id} any more"]
    question = Question(answer.lead_id, answer.as_of)
    if answer.vector is None:
        held = desk.roster.held.get(answer.lead_id)
        now = [lock_terms(lock) for lock in locks(desk.site, answer.target, held, answer.as_of, "en")]
        return list(_different([("locks", json.loads(answer.locks), now)])), []
    context = desk.contexts.at(channel_of(desk, question), answer.as_of)
    values = {**desk.evaluate(facts, answer.as_of).values, **context}
    told: dict[str, Value] = json.loads(answer.vector)
    gone = [f"the catalogue has no column {name} any more" for name in told if name not in values]
    return list(_different((f"value of {name}", told[name], values[name]) for name in told if name in values)), gone


def _one_row(bundle: Bundle, values: Mapping[str, Value]) -> dict[str, list[Value]]:
    missing = [name for name in bundle.model.encoder.columns if name not in values]
    if missing:
        raise SiteError([f"the journal has no value of {', '.join(missing)}, which the bundle reads"])
    return {name: [values[name]] for name in bundle.model.encoder.columns}


def _different(
    compared: Iterator[tuple[str, object, object]] | Sequence[tuple[str, object, object]],
) -> Iterator[Difference]:
    for what, answered, now in compared:
        if not _same(answered, now):
            yield Difference(what, answered, now)


def _same(one: object, other: object) -> bool:
    """Floats by their bits, all else by value."""
    if isinstance(one, float) and isinstance(other, float):
        return one.hex() == other.hex()
    return one == other
