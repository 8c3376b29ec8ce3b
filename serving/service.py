"""What the server stands on now: the desk and the champions, looked at again when the state folder changes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from features.catalogue import Catalogue
from features.history import clock, history_folder
from leadlight.schema import Micros
from leadlight.settings import Site, SiteError
from serving.champion import Champion, Champions
from serving.desk import Desk, open_desk
from serving.intake import Door
from serving.marks import Mark, mark_of
from serving.problems import Fault, shown, unprocessable

_log = logging.getLogger("leadlight.serving")


class Service:
    """One site being served. ``wall`` tells the time; ``as_of`` stops the site's clock at one moment."""

    def __init__(
        self, site: Site, catalogue: Catalogue, *, state: Path, wall: Callable[[], Micros], as_of: Micros | None = None
    ) -> None:
        self.site = site
        self.champions = Champions(site, catalogue, state)
        self.wall = wall
        self._catalogue = catalogue
        self._state = state
        self._as_of = as_of
        self._seen: Mark = self._mark()
        self.desk: Desk = open_desk(site, catalogue, state)
        self.champions.refresh()

    def refresh(self) -> None:
        """Open the history again if it was built anew, and look for new champions."""
        seen = self._mark()
        if seen is not None and seen != self._seen:
            try:
                self.desk = open_desk(self.site, self._catalogue, self._state)
            except SiteError as error:
                _log.warning("history_unreadable", extra={"faults": error.faults})
            else:
                self._seen = seen
                _log.info("history_opened", extra={"digest": self.desk.history.summary.digest})
        self.champions.refresh()

    def champion(self, target: str | None) -> Champion:
        """The champion of the named target, or of the first; a 422 for a target the site does not have."""
        name = next(iter(self.site.targets)) if target is None else target
        if name not in self.site.targets:
            raise unprocessable([Fault("#/target", shown(name), f"one of: {', '.join(self.site.targets)}")])
        return self.champions.get(name)

    def door(self, desk: Desk) -> Door:
        """What requests to ``desk`` are held against at this moment."""
        wall = self.wall()
        now = clock(self.site, desk.history, wall=wall) if self._as_of is None else self._as_of
        return Door(self.site, desk.roster, clock=now, latest=max(now, wall))

    def _mark(self) -> Mark:
        return mark_of(history_folder(self._state) / "summary.json")
