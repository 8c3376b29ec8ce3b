"""What one lead's card shows, in the words and order a salesperson reads it; the template only places it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from urllib.parse import urlencode

from features.catalogue import Theme
from leadlight.grading import Cuts, Grade
from leadlight.model.blended import Rung
from leadlight.schema import Micros, to_micros
from leadlight.settings import Grades, Site
from serving.champion import Champion
from serving.language import LANGUAGES, Language
from serving.reasons import slope, value_words
from serving.schemas import Score
from serving.schemas_leads import Fact, LeadAnswer
from serving.web.why import Why, signed, why_of
from serving.words import (
    STATUS,
    channel_words,
    date,
    day_and_time,
    decimals_of,
    kind_words,
    label_words,
    minute,
    percent,
    say,
    target_words,
)

LATEST = 7
FULL: frozenset[Rung] = frozenset({"blend", "trees"})
"""The rungs of a model that had enough to learn from: of these the card says nothing."""
THEMES: tuple[Theme, ...] = ("value", "life_cycle", "behaviour", "channel_profile")


@dataclass(frozen=True)
class Line:
    """Two texts side by side: a fact of the head or the versions, what happened when, a link and where it leads."""

    what: str
    value: str


@dataclass(frozen=True)
class Zone:
    """A grade's stretch of the ruler from 0 to 100."""

    grade: Grade
    start: float
    width: float


@dataclass(frozen=True)
class Verdict:
    """How hot: the top row of a scored lead."""

    grade: Grade
    probability: str
    chance: str
    interval: str
    promise: str
    rung: str | None
    score: int
    ruler: tuple[Zone, ...]


@dataclass(frozen=True)
class Module:
    """All features of one theme that took part: words, value, points of probability, log-odds."""

    title: str
    points: str
    rows: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class Card:
    """Everything on the card; what is empty or ``None`` is absent from the page."""

    lead_id: str
    made: bool
    as_of: str
    head: tuple[Line, ...]
    locks: tuple[str, ...]
    verdict: Verdict | None
    why: Why | None
    lately: tuple[Line, ...]
    earlier: int
    modules: tuple[Module, ...]
    versions: tuple[Line, ...]
    other_language: str
    targets: tuple[Line, ...]


def card_of(
    lead: LeadAnswer,
    champion: Champion,
    site: Site,
    versions: Mapping[str, str | None],
    language: Language,
    *,
    as_of: dt.datetime | None = None,
) -> Card:
    """The card of a lead; ``versions`` tells which targets have a champion, and so a card of their own.

    Its links lead to the moment ``as_of`` too, if one was asked for.
    """
    score = lead.score
    happened = list(_happenings(lead.events, site, language, to_micros(score.as_of)))
    (other,) = (each for each in LANGUAGES if each != language)
    return Card(
        lead_id=lead.lead_id,
        made=site.site.made,
        as_of=minute(to_micros(score.as_of), site, language),
        head=tuple(_head(lead, site, language)),
        locks=tuple(lock.words for lock in score.locks),
        verdict=_verdict(score, champion, site, language),
        why=why_of(score, language),
        lately=tuple(line for line, _ in happened[:LATEST]),
        earlier=sum(count for _, count in happened[LATEST:]),
        modules=tuple(_modules(score, champion, site, language)),
        versions=tuple(_versions(score, champion, site, language)),
        other_language=_link(score.target, other, as_of),
        targets=tuple(
            Line(target_words(site, name, language), _link(name, language, as_of))
            for name, version in versions.items()
            if version is not None and name != score.target
        ),
    )


def _link(target: str, language: Language, as_of: dt.datetime | None) -> str:
    moment = {} if as_of is None else {"as_of": as_of.isoformat()}
    return f"?{urlencode({'target': target, 'lang': language, **moment})}"


def _head(lead: LeadAnswer, site: Site, language: Language) -> Iterator[Line]:
    if lead.contact:
        yield Line(say("contact", language), lead.contact)
    yield Line(say("channel", language), channel_words(site, lead.channel, language))
    yield Line(say("since", language), date(to_micros(lead.created_at), site, language))
    status = next((event.labels[STATUS] for event in lead.events if event.labels.get(STATUS)), None)
    if status:
        yield Line(say("follow_up", language), label_words(STATUS, status, language))


def _verdict(score: Score, champion: Champion, site: Site, language: Language) -> Verdict | None:
    if score.probability is None or score.interval is None or score.grade is None or score.score is None:
        return None
    digits = decimals_of(score.probability)
    low, high = (percent(edge, language, digits) for edge in (score.interval.low, score.interval.high))
    grades = site.targets[score.target].grades
    return Verdict(
        grade=score.grade,
        probability=percent(score.probability, language),
        chance=say("chance", language, target=target_words(site, score.target, language)),
        interval=say("interval", language, low=low, high=high),
        promise=_promise(score.grade, grades, champion.bundle.cuts, language),
        rung=None if score.rung in FULL else say(f"rung_{score.rung}", language),
        score=score.score,
        ruler=_ruler(grades),
    )


def _promise(grade: Grade, grades: Grades, cuts: Cuts, language: Language) -> str:
    """What the grade means: its share of leads and, by the frozen cuts, its range of probability."""
    edges: dict[Grade, tuple[float | None, float | None]] = {
        "A": (cuts.a, None),
        "B": (cuts.b, cuts.a),
        "C": (cuts.c, cuts.b),
        "D": (None, cuts.c),
    }
    low, high = (None if edge is None else percent(edge, language) for edge in edges[grade])
    key = "promise_top" if high is None else "promise_rest" if low is None else "promise_middle"
    return say(key, language, grade=grade, share=percent(_shares(grades)[grade], language, 0), low=low, high=high)


def _ruler(grades: Grades) -> tuple[Zone, ...]:
    shares = _shares(grades)
    ends = accumulate(reversed(shares.values()))
    return tuple(
        Zone(grade, round(100 * (end - shares[grade]), 2), round(100 * shares[grade], 2))
        for grade, end in zip(reversed(shares), ends, strict=True)
    )


def _shares(grades: Grades) -> dict[Grade, float]:
    return {"A": grades.A, "B": grades.B, "C": grades.C, "D": 1 - grades.A - grades.B - grades.C}


def _happenings(events: Sequence[Fact], site: Site, language: Language, now: Micros) -> Iterator[tuple[Line, int]]:
    """What happened, the newest first; the same thing several times on one day in a row is one line."""

    def alike(event: Fact) -> tuple[str, str]:
        labels = [label_words(name, value, language) for name, value in event.labels.items() if value]
        words = " · ".join([kind_words(site, event.kind, language), *labels])
        return words, date(to_micros(event.at), site, language)

    for (words, _), group in groupby(events, key=alike):
        same = list(group)
        times = f" ×{len(same)}" if len(same) > 1 else ""
        yield Line(words + times, day_and_time(to_micros(same[0].at), site, language, now=now)), len(same)


def _modules(score: Score, champion: Champion, site: Site, language: Language) -> Iterator[Module]:
    if score.base is None or score.raw is None:
        return
    per_point = 100 * slope(score.base, score.raw)
    columns = {column.name: column for column in champion.columns}
    shares = [share for reason in score.reasons for share in reason.features]
    for theme in THEMES:
        own = [share for share in shares if columns[share.name].entry.theme == theme]
        own.sort(key=lambda share: (-abs(share.points), share.name))
        if own:
            rows = tuple(
                (
                    columns[share.name].wording(language),
                    value_words(columns[share.name], share.value, site, language),
                    signed(share.points * per_point, 1),
                    signed(share.points, 3),
                )
                for share in own
            )
            total = sum(share.points for share in own) * per_point
            yield Module(say(theme, language), signed(total, 1), rows)


def _versions(score: Score, champion: Champion, site: Site, language: Language) -> Iterator[Line]:
    yield Line(say("model", language), f"{score.target} · {score.model_version}")
    yield Line(say("bundle", language), champion.bundle.sha256)
    yield Line(say("features_as_of", language), minute(to_micros(score.features_as_of), site, language))
    yield Line(say("scored_at", language), minute(to_micros(score.scored_at), site, language))
    if score.base is not None and score.raw is not None:
        words = say("log_odds", language, base=signed(score.base, 3), raw=signed(score.raw, 3))
        yield Line(say("margin", language), words)
