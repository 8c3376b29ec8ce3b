"""The lock every site has: a lead that has left a target's population, or is not yet in it, is not scored.

Who belongs is decided by a few kinds of event. Their dates are held in memory by lead, so that the question costs
nothing; they change only when the history is built again.
"""

from __future__ import annotations

from collections.abc import Iterable

from features.history import Event
from leadlight.schema import Micros, from_micros
from leadlight.settings import Site
from serving.language import Language
from serving.schemas import Lock
from serving.words import date, kind_words, say, target_words


def deciding_kinds(site: Site) -> frozenset[str]:
    """The kinds of event that decide whether a lead belongs to one of the site's populations."""
    return frozenset(kind for target in site.targets.values() for kind in (*target.population.has, *target.lacks))


def locks(site: Site, target: str, events: Iterable[Event], as_of: Micros, language: Language) -> tuple[Lock, ...]:
    """Why a lead with these ``events`` is not scored for ``target`` at ``as_of``; nothing if it is."""
    wanted = site.targets[target]
    first: dict[str, Micros] = {}
    for event in events:
        if is_known(event, as_of):
            first[event.kind] = min(event.at, first.get(event.kind, event.at))
    left = min(((first[kind], kind) for kind in wanted.lacks if kind in first), default=None)
    if left is not None:
        return (_left(site, *left, language),)
    return tuple(_not_yet(site, target, kind, language) for kind in wanted.population.has if kind not in first)


def is_known(event: Event, as_of: Micros) -> bool:
    """Whether ``event`` had happened, had arrived and was not yet corrected at ``as_of``."""
    return event.at < as_of and event.arrived_at <= as_of and (event.until is None or event.until > as_of)


def _left(site: Site, since: Micros, kind: str, language: Language) -> Lock:
    words = say("lock_left", language, what=kind_words(site, kind, language), date=date(since, site, language))
    return Lock(kind="left", since=from_micros(since), words=words)


def _not_yet(site: Site, target: str, kind: str, language: Language) -> Lock:
    what, name = kind_words(site, kind, language), target_words(site, target, language)
    return Lock(kind="not_yet", since=None, words=say("lock_not_in_population", language, what=what, target=name))
