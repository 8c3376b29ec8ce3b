"""What a running step does to files, heard by tests: so that one can come in between, or end it there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Heard = Callable[[str, str], None]
"""Is told of each (event, path), before it happens; what it raises ends the step there."""

_LISTENERS: list[Heard] = []


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if _LISTENERS and (event.startswith("os.") or event in {"open", "sqlite3.connect"}):
        for listener in tuple(_LISTENERS):
            listener(event, str(args[0]))


sys.addaudithook(_hear)  # there is no way to take one away: it hears only while somebody listens


@contextmanager
def listening(heard: Heard) -> Iterator[None]:
    """``heard`` is told of what happens to files in the block."""
    _LISTENERS.append(heard)
    try:
        yield
    finally:
        _LISTENERS.remove(heard)


class Killed(BaseException):
    """The step ended here."""


def killed_at(step: int, folder: Path) -> Heard:
    """Ends whatever is about to change a file below ``folder`` for the ``step``-th time, from 0 on."""
    changes = 0

    def heard(event: str, path: str) -> None:
        nonlocal changes
        if event in {"os.rename", "os.remove", "os.rmdir", "sqlite3.connect"} and path.startswith(str(folder)):
            changes += 1
            if changes > step:
                raise Killed

    return heard
