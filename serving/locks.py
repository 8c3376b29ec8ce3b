"""Why nobody may contact a lead: it left a target's population or is not yet in it, or one of the site's locks holds.

A lead's lock facts are few, so the server keeps them in memory: a lock costs no read, and comes before any number.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from features.history import Event, LeadFacts, Value, Version
from leadlight.schema import Micros, from_micros
from leadlight.settings import LockRule, Site
from serving.language import Language
from serving.schemas import Lock
from serving.words import date, duration, kind_words, minute, say, target_words


@dataclass(frozen=True)
class LockFacts:
    """Those of a lead's facts that can lock it: some events with a few labels, and versions with a few attributes.

    ``created_at`` is told where a target of the site asks for quiet leads: the quiet begins there.
    """

    events: tuple[Event, ...] = ()
    versions: tuple[Version, ...] = ()
    created_at: Micros | None = None


def lock_facts(site: Site, facts: LeadFacts) -> LockFacts | None:
    """The lock facts among all facts of a lead; ``None`` if nothing could ever lock it for what it did."""
    labels, columns = lock_labels(site), lock_attributes(site)
    deciding, rules = deciding_kinds(site), site.locks.values()
    events = tuple(
        _with_labels(event, labels)
        for event in facts.events
        if event.kind in deciding or any(_sets(rule, event) or _lifts(rule, event) for rule in rules)
    )
    may_lock = any(_says(rule, version) for rule in rules for version in facts.versions)
    versions = tuple(_with_columns(version, columns) for version in facts.versions) if may_lock else ()
    created_at = facts.created_at if asks_for_quiet(site) else None
    return LockFacts(events, versions, created_at) if events or versions or created_at is not None else None


def locks(site: Site, target: str, held: LockFacts | None, as_of: Micros, language: Language) -> tuple[Lock, ...]:
    """All locks that hold at ``as_of`` by what was known then, the population's first."""
    events = [] if held is None else [event for event in held.events if is_known(event, as_of)]
    versions = [] if held is None else [version for version in held.versions if is_known(version, as_of)]
    found = list(_of_population(site, target, events, language))
    restless = _of_quiet(site, target, held, events, language)
    if restless is not None and as_of < restless[0]:
        found.append(restless[1])
    for name, rule in site.locks.items():
        hold = _by_attribute(rule, versions) if rule.attribute else _by_events(rule, events)
        if hold is not None and (hold.until is None or as_of < hold.until):
            found.append(_of_rule(site, name, hold, language))
    return tuple(found)


def is_known(fact: Event | Version, as_of: Micros) -> bool:
    """Whether ``fact`` had happened, had arrived and was not yet corrected at ``as_of``."""
    return fact.at < as_of and fact.arrived_at <= as_of and (fact.until is None or fact.until > as_of)


def deciding_kinds(site: Site) -> frozenset[str]:
    """The kinds of event that decide whether a lead belongs to one of the site's populations."""
    return frozenset(kind for target in site.targets.values() for kind in (*target.population.kinds, *target.lacks))


def asks_for_quiet(site: Site) -> bool:
    """Whether one of the site's populations is of quiet leads, so that it counts when a lead was created."""
    return any(target.population.quiet is not None for target in site.targets.values())


def lock_kinds(site: Site) -> frozenset[str]:
    """The kinds of event that can be a lock fact."""
    return deciding_kinds(site).union(*((*rule.set_by, *rule.lifted_by) for rule in site.locks.values()))


def lock_labels(site: Site) -> frozenset[str]:
    """The labels that the site's locks read."""
    rules = [rule for rule in site.locks.values() if not rule.attribute]
    return frozenset(name for rule in rules for name in (*rule.where, *rule.lifted_where, rule.who) if name)


def lock_attributes(site: Site) -> frozenset[str]:
    """The attribute columns that the site's locks read."""
    rules = [rule for rule in site.locks.values() if rule.attribute]
    return frozenset(name for rule in rules for name in (rule.attribute, rule.who) if name)


@dataclass(frozen=True)
class _Hold:
    """A lock as it was last set: in force without a break from ``since`` until ``until`` (``None``: for good)."""

    since: Micros
    until: Micros | None
    who: str | None


def _by_events(rule: LockRule, known: Iterable[Event]) -> _Hold | None:
    """What the known events leave behind, taken in their order; of one moment what sets comes last, so it stays."""
    steps = [(event.at, _sets(rule, event), event) for event in known if _sets(rule, event) or _lifts(rule, event)]
    hold: _Hold | None = None
    for at, sets, event in sorted(steps, key=lambda step: (*step[:2], step[2].event_id)):
        unbroken = hold is not None and (hold.until is None or at < hold.until)
        since = hold.since if hold is not None and unbroken else at
        until = None if rule.lasts is None else at + rule.lasts
        hold = _Hold(since, until, _label(event, rule.who)) if sets else None
    return hold


def _by_attribute(rule: LockRule, known: Iterable[Version]) -> _Hold | None:
    """What the newest known version says; where a person is several leads, each has its say, the oldest hold counts."""
    ordered = sorted(known, key=operator.attrgetter("member", "at", "arrived_at"))
    records = (list(own) for _, own in groupby(ordered, key=operator.attrgetter("member")))
    holds = [hold for own in records if (hold := _by_record(rule, own)) is not None]
    return min(holds, key=operator.attrgetter("since"), default=None)


def _by_record(rule: LockRule, ordered: Iterable[Version]) -> _Hold | None:
    newest = {version.at: version for version in ordered}  # of one moment the version counts that arrived last
    hold: _Hold | None = None
    for version in newest.values():
        since = version.at if hold is None else hold.since
        hold = _Hold(since, None, _text(version.values.get(rule.who or ""))) if _says(rule, version) else None
    return hold


def _sets(rule: LockRule, event: Event) -> bool:
    return event.kind in rule.set_by and _fits(event, rule.where)


def _lifts(rule: LockRule, event: Event) -> bool:
    return event.kind in rule.lifted_by and _fits(event, rule.lifted_where)


def _fits(event: Event, where: Mapping[str, tuple[str, ...]]) -> bool:
    return all(_label(event, name) in values for name, values in where.items())


def _label(event: Event, name: str | None) -> str | None:
    return None if name is None or event.labels is None else event.labels.get(name)


def _says(rule: LockRule, version: Version) -> bool:
    return rule.attribute is not None and version.values.get(rule.attribute) in rule.values


def _with_labels(event: Event, names: frozenset[str]) -> Event:
    labels = {name: value for name, value in (event.labels or {}).items() if name in names and value is not None}
    return replace(event, amount=None, labels=labels or None)


def _with_columns(version: Version, names: frozenset[str]) -> Version:
    values = {name: version.values.get(name) for name in names}
    return replace(version, values=values)


def _of_population(site: Site, target: str, known: Iterable[Event], language: Language) -> Iterator[Lock]:
    wanted = site.targets[target]
    first: dict[str, Micros] = {}
    for event in known:
        first[event.kind] = min(event.at, first.get(event.kind, event.at))
    left = min(((first[kind], kind) for kind in wanted.lacks if kind in first), default=None)
    if left is not None:
        yield _left(site, *left, language)
    else:
        yield from (_not_yet(site, target, kind, language) for kind in wanted.population.has if kind not in first)


def _of_quiet(
    site: Site, target: str, held: LockFacts | None, known: Iterable[Event], language: Language
) -> tuple[Micros, Lock] | None:
    """What holds until a lead was quiet for long enough, with the moment from which it does not."""
    quiet = site.targets[target].population.quiet
    if quiet is None:
        return None
    signs = [(event.at, kind_words(site, event.kind, language)) for event in known if event.kind in quiet.kinds]
    if held is not None and held.created_at is not None:
        signs.append((held.created_at, say("lock_created", language)))
    if not signs:
        return None
    last, what = max(signs)
    until = last + quiet.length + 1  # as with windows, what happened exactly so long ago still counts
    words = say(
        "lock_not_quiet",
        language,
        what=what,
        date=date(last, site, language),
        length=duration(quiet.length, language),
        target=target_words(site, target, language),
        moment=minute(until, site, language),
    )
    since, ends = from_micros(last), from_micros(until)
    return until, Lock(kind="not_yet", name="not_yet", since=since, until=ends, who=None, words=words)


def _left(site: Site, since: Micros, kind: str, language: Language) -> Lock:
    words = say("lock_left", language, what=kind_words(site, kind, language), date=date(since, site, language))
    return Lock(kind="left", name="left", since=from_micros(since), until=None, who=None, words=words)


def _not_yet(site: Site, target: str, kind: str, language: Language) -> Lock:
    what, name = kind_words(site, kind, language), target_words(site, target, language)
    words = say("lock_not_in_population", language, what=what, target=name)
    return Lock(kind="not_yet", name="not_yet", since=None, until=None, who=None, words=words)


def _of_rule(site: Site, name: str, hold: _Hold, language: Language) -> Lock:
    rule = site.locks[name]
    until = None if hold.until is None else minute(hold.until, site, language)
    said = [
        say("lock_since", language, date=date(hold.since, site, language)),
        say("lock_open", language) if until is None else say("lock_until", language, moment=until),
        *([] if hold.who is None else [say("lock_who", language, who=hold.who)]),
    ]
    what = rule.zh if language == "zh" else rule.en
    return Lock(
        kind="rule",
        name=name,
        since=from_micros(hold.since),
        until=None if hold.until is None else from_micros(hold.until),
        who=hold.who,
        words=say("lock_rule", language, what=what, details=say("lock_and", language).join(said)),
    )


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
