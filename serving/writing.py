"""Facts on their way into the log: those that come together are kept in one commit, and time is told in one order.

A commit waits for the disk, so while one is under way those who come join the next: hundreds a second cost few commits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from features.facts import LeadFacts
from features.log import Appended, Log, NewFact, Refused
from leadlight.schema import Micros

Make = Callable[[Micros], Sequence[NewFact]]
"""What makes facts of the moment at which they arrive."""


class Times:
    """The order of questions and arrivals: what arrives later than a question was put arrives after its moment.

    So a question of moment t is answered with every fact that this process will ever say arrived by t. A lead that has
    just arrived is asked about one moment after its arrival, so two arrivals are at least two moments apart.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: Micros = 0
        self._arriving: Micros | None = None

    def asked(self, now: Micros) -> Micros:
        """The moment of a question put at ``now``: just before what is still on its way into the log."""
        with self._lock:
            moment = now if self._arriving is None else min(now, self._arriving - 1)
            self._newest = max(self._newest, moment)
            return moment

    def arrive(self, now: Micros) -> Micros:
        """A moment after all questions so far; until ``arrived`` no question is put after it."""
        with self._lock:
            self._arriving = self._newest = max(now, self._newest + 2)
            return self._arriving

    def arrived(self) -> None:
        """What was on its way is in the log, or is not to come."""
        self._arriving = None


@dataclass
class _Waiting:
    """One request's facts, and what became of them."""

    make: Make
    facts: Sequence[NewFact] = ()
    appended: Appended | None = None
    fault: Exception | None = None
    done: bool = False


@dataclass
class Writer:
    """The one door to the log of this process. ``base`` says what is recorded of some leads."""

    log: Log
    times: Times
    facts_tell_time: bool
    """In a log that has ended, a fact moves the clock: it arrives when it happened, if that is later."""
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _queue: deque[_Waiting] = field(default_factory=deque)

    def append(
        self,
        make: Make,
        *,
        now: Callable[[], Micros],
        base: Callable[[set[str]], Mapping[str, LeadFacts]],
        then: Callable[[set[str]], None],
    ) -> Appended:
        """Keep the facts that ``make`` makes, all or none, in one commit with those who came meanwhile.

        ``then`` is told whose facts a commit held, once for all of them, before anybody is answered. ``Refused`` tells
        what the log would not take of this caller's facts.
        """
        mine = _Waiting(make)
        self._queue.append(mine)
        with self._writing:
            if not mine.done:
                batch = [self._queue.popleft() for _ in range(len(self._queue))]
                leads = self._commit(batch, now, base)
                if leads:
                    then(leads)
                for each in batch:
                    each.done = True
        if mine.appended is None:
            raise mine.fault or RuntimeError("no answer")
        return mine.appended

    def _commit(
        self, batch: list[_Waiting], now: Callable[[], Micros], base: Callable[[set[str]], Mapping[str, LeadFacts]]
    ) -> set[str]:
        """Append the facts of all in ``batch`` but of those that are refused; the leads that were appended to."""
        arrived_at = self.times.arrive(now())
        try:
            for each in batch:
                _make(each, arrived_at)
            left = [each for each in batch if each.fault is None]
            while left and not self._append(left, arrived_at, base):
                left = [each for each in left if each.fault is None]
        except Exception as fault:  # noqa: BLE001  each of those who wait hears of it, and raises it
            for each in batch:
                each.fault = each.fault or fault
        finally:
            self.times.arrived()
        return {fact.lead_id for each in batch if each.appended is not None for fact in each.facts}

    def _append(
        self, waiting: list[_Waiting], arrived_at: Micros, base: Callable[[set[str]], Mapping[str, LeadFacts]]
    ) -> bool:
        """Append the facts of all who wait; if some are refused nothing is, and they are told."""
        facts = [fact for each in waiting for fact in each.facts]
        moments = [getattr(fact, "at", 0) for fact in facts] if self.facts_tell_time else []
        recorded = base({fact.lead_id for fact in facts})
        try:
            appended = self.log.append(facts, arrived_at=max([arrived_at, *moments]), base=recorded)
        except Refused as refused:
            _tell(waiting, refused)
            return False
        _share_out(waiting, appended)
        return True


def _make(waiting: _Waiting, arrived_at: Micros) -> None:
    try:
        waiting.facts = waiting.make(arrived_at)
    except Exception as fault:  # noqa: BLE001  the fault is of one request: the others go on
        waiting.fault = fault


def _tell(waiting: list[_Waiting], refused: Refused) -> None:
    """Each of those of whose facts some were refused hears what is wrong with them."""
    first = 0
    for each in waiting:
        own = [(place - first, words) for place, words in refused.by_fact if 0 <= place - first < len(each.facts)]
        first += len(each.facts)
        each.fault = Refused(own) if own else None


def _share_out(batch: list[_Waiting], appended: Appended) -> None:
    first = 0
    for each in batch:
        each.appended = Appended(appended.results[first : first + len(each.facts)], appended.seq)
        first += len(each.facts)
