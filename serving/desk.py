"""What scores are answered from: a site's past, its stored rows and its evaluators, opened once and swapped whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from features.catalogue import Catalogue
from features.history import LeadFacts, open_history
from features.log import Head, Log
from features.past import Past
from features.single import Row, evaluator
from features.store.door import Store
from leadlight.schema import Micros
from leadlight.settings import Site
from serving.contexts import Contexts
from serving.exploration import Exploration, open_exploration
from serving.locks import lock_facts
from serving.roster import Member, Roster, read_roster

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Desk:
    """One past and all that reads it."""

    site: Site
    catalogue: Catalogue
    past: Past
    roster: Roster
    store: Store
    contexts: Contexts
    evaluate: Callable[[LeadFacts, Micros], Row]
    exploration: Exploration
    _catching_up: threading.Lock = field(default_factory=threading.Lock)

    def catch_up(self, head: Head | None = None) -> Head:
        """Take in what the log has up to ``head``, by default up to now, whoever wrote it; the head."""
        head = self.past.look() if head is None else head
        if self.past.behind(head):
            self._take_in()
        return head

    def _take_in(self) -> None:
        with self._catching_up:
            head, changed = self.past.news(self.roster.members)
            ordered = sorted(changed)
            for start in range(0, len(ordered), _AT_ONCE):
                self._enter(ordered[start : start + _AT_ONCE])
            self.past.reached(head)  # last: who finds nothing to catch up with finds the roster up to date

    def _enter(self, lead_ids: list[str]) -> None:
        """Put what the log says of these leads in place of what the roster says."""
        facts = self.past.facts(lead_ids)
        for lead_id in lead_ids:
            if lead_id in facts:
                self.roster.enter(lead_id, Member.of(facts[lead_id]), lock_facts(self.site, facts[lead_id]))
            else:
                self.roster.strike(lead_id)


def open_desk(site: Site, catalogue: Catalogue, state: Path, log: Log | None = None) -> Desk:
    """The desk over the last build in ``state`` and what ``log`` has gained since; ``SiteError`` without a build."""
    past = Past(open_history(state), log, site.identity)
    past.reached(past.news(())[0])
    roster = read_roster(site, past)
    store = Store(site=site, catalogue=catalogue, state=state)
    return Desk(
        site=site,
        catalogue=catalogue,
        past=past,
        roster=roster,
        store=store,
        contexts=Contexts(site, catalogue, past, store),
        evaluate=evaluator(catalogue, site),
        exploration=open_exploration(site, state),
    )
