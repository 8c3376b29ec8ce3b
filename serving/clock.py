"""The server's clock: moments that can be asked about, since nothing that is not known yet will have arrived by then.

It is the log's clock, moved along with the wall clock a few times a second: most questions only read it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from features.log import Head, Log
from features.past import Past
from leadlight.schema import SECOND, Micros
from leadlight.settings import Site

_LAGS_AT_MOST = SECOND // 10
"""How far the log's clock may lie behind the wall clock without being moved."""
_UNWAITED = SECOND
"""How far it may lie behind before anybody waits for a writer in order to move it."""


@dataclass(frozen=True)
class Settled:
    """A moment that can be asked about by whoever has read the log up to ``head``.

    ``late`` if it is an earlier one than was wanted, because others were writing all the while.
    """

    moment: Micros
    head: Head
    late: bool = False


class Clock:
    """The clock of a site in one process. ``wall`` tells the time; ``stopped``: it stands still at this moment."""

    def __init__(self, site: Site, log: Log, *, wall: Callable[[], Micros], stopped: Micros | None = None) -> None:
        self._site = site
        self._log = log
        self._wall = wall
        self._stopped = stopped
        self._deadline_ms = site.stores.deadline_ms
        self._moving = threading.Lock()
        self._moved = Head(0, 0, 0)

    def now(self, past: Past) -> Settled:
        """The moment that a question without one is asked of."""
        head = self._log.look()
        if not self._follows_wall:
            wanted = self.reads(past, head)
            needed = min(wanted, self._last(past, head)) if self._facts_tell_time else wanted
            found = self._settled(needed, head)
            return found if needed == wanted else Settled(wanted, found.head)
        behind = self._wall() - head.settled
        if behind <= _LAGS_AT_MOST:
            return Settled(head.settled, head)
        moved = self._move(head.settled + behind, patience_ms=0 if behind <= _UNWAITED else self._deadline_ms)
        if moved is None:
            return Settled(head.settled, head, late=behind > _UNWAITED)
        return Settled(moved.settled, moved)

    def reads(self, past: Past, head: Head) -> Micros:
        """What the clock of the site says by ``head``: never less than at the last fact that it knows."""
        if self._stopped is not None:
            return self._stopped
        return head.settled if self._follows_wall else self._last(past, head)

    def settled(self, moment: Micros, head: Head) -> Settled:
        """``moment``, or the last one before it that can be asked about if others write all the while.

        Where facts tell the time no question does: of a moment after the last fact it is said what holds by then if
        nothing more happens, which may be another answer once something has.
        """
        return Settled(moment, head) if self._facts_tell_time else self._settled(moment, head)

    def _settled(self, moment: Micros, head: Head) -> Settled:
        if moment <= head.settled:
            return Settled(moment, head)
        moved = self._move(moment, patience_ms=self._deadline_ms)
        return Settled(head.settled, head, late=True) if moved is None else Settled(moment, moved)

    @staticmethod
    def _last(past: Past, head: Head) -> Micros:
        """Just after the last fact."""
        return max(past.newest_fact, head.newest) + 1

    @property
    def _facts_tell_time(self) -> bool:
        return self._site.clock.at == "last_fact"

    @property
    def _follows_wall(self) -> bool:
        return self._stopped is None and self._site.clock.at == "wall"

    def _move(self, moment: Micros, *, patience_ms: int) -> Head | None:
        """Move the log's clock to where ``moment`` is settled; who comes meanwhile shares in it."""
        if not self._moving.acquire(timeout=patience_ms / 1000):
            return None
        try:
            if self._moved.settled < moment:
                self._moved = self._log.settle(moment, patience_ms=patience_ms) or self._moved
            return self._moved if moment <= self._moved.settled else None
        finally:
            self._moving.release()
