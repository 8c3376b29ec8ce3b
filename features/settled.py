"""The moment that *now* means for whoever reads the base alone: all that had arrived by then is in it."""

from __future__ import annotations

from pathlib import Path

from features.history import History, clock
from features.log import Log
from features.segments import open_log
from leadlight.schema import Micros
from leadlight.settings import Site


def clock_of_base(site: Site, base: History, *, state: Path, wall: Micros) -> Micros:
    """The site's clock, or just before the first fact that has arrived since ``base`` was built."""
    now = clock(site, base, wall=wall)
    with open_log(site, state) as log:
        if log is None:
            return now
        settled = settled_at(log, now)
        first = log.first_arrival(after=base.summary.log_seq)
    return settled if first is None else min(settled, first - 1)


def settled_at(log: Log, moment: Micros) -> Micros:
    """``moment``, once no fact that ``log`` lacks will have arrived by then; an earlier one if others write on."""
    head = log.settle(moment) or log.look()
    return min(moment, head.settled)
