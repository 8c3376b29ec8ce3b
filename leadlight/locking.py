"""One process at a time, by a file that is locked: the lock ends with the process, however that ends."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(path: Path, when_taken: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Nobody else is in here with the lock at ``path``, whose folder is made.

    While somebody is, ``when_taken`` is called once: it may say so, or raise instead of waiting.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            when_taken()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
