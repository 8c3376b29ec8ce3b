"""A search's limits and its progress bar, for the commands that may search."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from leadlight.commands.console import err

if TYPE_CHECKING:
    from training.search import Search

MOST_TRIALS = 100_000


@contextmanager
def searching(what: str, *, trials: int | None, minutes: float | None) -> Iterator[Search | None]:
    """The search that these options ask for, if any, shown on stderr for as long as the work lasts."""
    if trials is None and minutes is None:
        with err.status(f"{what} …"):
            yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from training.search import Search

    ends = None if minutes is None else time.monotonic() + 60 * minutes
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(f"{what}, trials", total=trials)
        yield Search(
            trials=trials or MOST_TRIALS,
            over=lambda: ends is not None and time.monotonic() >= ends,
            tell=lambda done: bar.update(task, completed=done),
        )
