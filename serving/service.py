"""What the server stands on now: the desk and the champions, looked at again when the state folder changes."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from features.arrivals import Admission
from features.catalogue import Catalogue
from features.erasure import Erased, erase_people
from features.history import history_folder
from features.identity import identity_key
from features.log import Appended, Log, NewFact, Refused
from features.store import StoreUnavailable
from leadlight.schema import Micros
from leadlight.settings import Site, SiteError
from serving import rows
from serving.challenger import Challengers
from serving.champion import Champion, Champions
from serving.clock import Clock, Settled
from serving.desk import Desk, open_desk
from serving.entries import Told
from serving.intake import Door
from serving.journal import Journal
from serving.live import Hashing
from serving.marks import Mark, mark_of
from serving.problems import Fault, Problem, shown, unprocessable
from serving.proven import AT_HAND, Proven
from serving.schemas import Score
from serving.scoring import Answered
from serving.writing import Writer

_log = logging.getLogger("leadlight.serving")


class Service:
    """One site being served. ``wall`` tells the time; ``as_of`` stops the site's clock at one moment."""

    def __init__(
        self,
        site: Site,
        catalogue: Catalogue,
        *,
        state: Path,
        log: Log,
        journal: Journal,
        wall: Callable[[], Micros],
        as_of: Micros | None = None,
    ) -> None:
        self.site = site
        proven = Proven(AT_HAND * len(site.targets))
        self.champions = Champions(site, catalogue, state, proven)
        self.challengers = Challengers(site, catalogue, state, proven)
        self.journal = journal
        self.wall = wall
        self._catalogue = catalogue
        self._state = state
        self.hashing = Hashing(identity_key(site, state, os.environ), site.identity.region)
        self._facts = log
        self._as_of = as_of
        self.clock = Clock(site, log, wall=wall, stopped=as_of)
        self._writer = Writer(log, facts_tell_time=site.clock.at == "last_fact")
        self._day_closed: int | None = None
        self._opening = threading.Lock()
        self._seen: Mark = self._mark()
        self.desk: Desk = open_desk(site, catalogue, state, log)
        self.champions.refresh()
        self.challengers.refresh()

    def refresh(self) -> None:
        """Open the history again if it was built anew."""
        with self._opening:
            seen = self._mark()
            if seen is None or seen == self._seen:
                return
            try:
                self.desk = open_desk(self.site, self._catalogue, self._state, self._facts)
            except SiteError as error:
                _log.warning("history_unreadable", extra={"faults": error.faults})
            else:
                self._seen = seen
                self._day_closed = None
                _log.info("history_opened", extra={"digest": self.desk.past.base.summary.digest})

    def prepare(self) -> None:
        """Load what may be needed next: new challengers, and whom a rollback would lead back to."""
        self.challengers.refresh()
        self.champions.stand_by()

    def keep_exact(self) -> None:
        """Evaluate anew the rows that have expired, and close the day: what keeps answers quick."""
        desk = self.desk
        now = self._settled(desk).moment
        self._day_closed = rows.close_day(desk, now, self._day_closed)
        if self._as_of is None and self.site.clock.at == "wall":
            rows.sweep(desk, now)

    def champion(self, target: str | None) -> Champion:
        """The champion of the named target, or of the first; a 422 for a target the site does not have."""
        name = next(iter(self.site.targets)) if target is None else target
        if name not in self.site.targets:
            raise unprocessable([self.no_target(name)])
        return self.champions.get(name)

    def no_target(self, name: str) -> Fault:
        """What is wrong with a target that the site does not have."""
        return Fault("#/target", shown(name), f"one of: {', '.join(self.site.targets)}")

    def tell(self, desk: Desk, champion: Champion, answered: Sequence[Answered]) -> list[Score]:
        """The scores as they go out: named, and on their way into the journal."""
        told = Told(champion, self.challengers.get(champion), desk.exploration, "http")
        return self.journal.give(answered, told)

    def door(self, desk: Desk) -> Door:
        """What requests to ``desk`` are held against at this moment; all that had arrived by now is taken in."""
        now = self._settled(desk)
        latest = max(now.moment, self.wall())
        admission = Admission(self.site, desk.roster.attributes, latest=latest)

        def settle(moment: Micros) -> Settled:
            settled = self.clock.settled(moment, now.head)
            desk.catch_up(settled.head)
            return settled

        return Door(self.site, desk.roster, admission, now=now, settle=settle, person=desk.past.person_of)

    def accept(self, desk: Desk, facts: Sequence[NewFact], *, place: str) -> Appended:
        """Keep ``facts``, all or nothing, and let the next score count them.

        ``place`` is where fact ``{index}`` stands in the request. A 422 tells what the log refuses: facts of erased or
        unknown leads, or the event_id of another lead's event. A server whose clock was stopped takes nothing: 409.
        """
        if self._as_of is not None:
            raise Problem(409, "This server's clock is stopped (--as-of): facts go to one whose clock runs.")

        def now() -> Micros:
            return desk.past.now(self.site, wall=self.wall())

        def count(leads: set[str]) -> None:
            head = desk.catch_up()
            try:
                rows.write_rows(desk, leads, self.clock.reads(desk.past, head))
            except StoreUnavailable:
                _log.warning("rows_not_stored", extra={"leads": len(leads)})  # they are evaluated when asked for

        try:
            return self._writer.append(facts, now=now, base=desk.past.recorded, then=count)
        except Refused as refused:
            raise unprocessable([_refusal(place, *each) for each in refused.by_fact]) from refused

    def erase(self, lead_id: str) -> Erased:
        """Forget a person; from the answer on, nobody is told anything of them."""
        erased = erase_people(self.site, self._catalogue, [lead_id], state=self._state, at=self.wall())
        self.desk.catch_up()
        self.refresh()
        return erased

    def _settled(self, desk: Desk) -> Settled:
        """The clock, and all taken in that had arrived by then."""
        now = self.clock.now(desk.past)
        desk.catch_up(now.head)
        return now

    def _mark(self) -> Mark:
        return mark_of(history_folder(self._state) / "summary.json")


def _refusal(place: str, index: int, words: str) -> Fault:
    field, _, rest = words.partition(": ")
    came, _, allowed = rest.partition(": ")
    return Fault(f"{place.format(index=index)}/{field}", came, allowed or came, index)
