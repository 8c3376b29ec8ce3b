"""What scores are answered from: one history, its stored rows and its evaluators, opened once and swapped whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from features.catalogue import Catalogue
from features.history import History, LeadFacts, open_history
from features.single import Row, evaluator
from features.store.door import Store
from leadlight.schema import Micros
from leadlight.settings import Site
from serving.contexts import Contexts
from serving.roster import Roster, read_roster


@dataclass(frozen=True)
class Desk:
    """One history and all that reads it."""

    site: Site
    catalogue: Catalogue
    history: History
    roster: Roster
    store: Store
    contexts: Contexts
    evaluate: Callable[[LeadFacts, Micros], Row]


def open_desk(site: Site, catalogue: Catalogue, state: Path) -> Desk:
    """The desk over what the last build left in ``state``; ``SiteError`` if there was none."""
    history = open_history(state)
    store = Store(site=site, catalogue=catalogue, state=state)
    return Desk(
        site=site,
        catalogue=catalogue,
        history=history,
        roster=read_roster(site, history),
        store=store,
        contexts=Contexts(site, catalogue, history, store),
        evaluate=evaluator(catalogue, site),
    )
