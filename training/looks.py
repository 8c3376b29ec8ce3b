"""How often test rows have been looked at: an append-only list of who was judged by them, and from when to when.

A candidate's place is one more than the number of others that were judged before it on a test window that overlaps
with its own in time. So at any moment of time, the candidates whose test holds that moment have different places, and
what they may spend of the 5 % (see ``training.gate.spending``) stays below 5 % together, however the window is moved.
"""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path

from leadlight.schema import Micros
from leadlight.settings import SiteError


@dataclass(frozen=True)
class Window:
    """Test rows: the moments of the first and the last, and a digest of who is seen when and with what outcome."""

    first: Micros
    last: Micros
    digest: str


@dataclass(frozen=True)
class _Look:
    """One line of the list; one written before windows had times may overlap with any."""

    window: str
    bundle: str
    times: tuple[Micros, Micros] | None

    def overlaps(self, window: Window) -> bool:
        return self.times is None or (self.times[0] <= window.last and window.first <= self.times[1])


def look(state: Path, target_name: str, *, window: Window, bundle_sha256: str) -> int:
    """Note that this bundle is judged on this test window; its place, from 1, among all judged on overlapping ones.

    The same bundle on the same rows keeps its place, however often it is looked at and by which command: so the same
    training gives the same verdict. On other rows it is looked at anew, for a test that grows until it passes is no
    test.
    """
    path = state / "looks" / f"{target_name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        seen = [_read(line, f"line {number} of {path}") for number, line in enumerate(file, start=1)]
        if not any((each.window, each.bundle) == (window.digest, bundle_sha256) for each in seen):
            file.write(f"{window.digest} {bundle_sha256} {window.first} {window.last}\n")
    before = dict.fromkeys(
        (each.window, each.bundle) for each in _until(seen, window.digest, bundle_sha256) if each.overlaps(window)
    )
    return len(before) + 1


def _read(line: str, place: str) -> _Look:
    try:
        window, bundle, *times = line.split()
        first, last = (int(words) for words in times) if times else (None, None)
    except ValueError:
        fault = f"{place} is no look (digest, bundle, first and last moment): {line.strip()!r}; restore the file"
        raise SiteError([fault]) from None
    return _Look(window, bundle, None if first is None or last is None else (first, last))


def _until(seen: list[_Look], digest: str, bundle_sha256: str) -> list[_Look]:
    """What was looked at before this bundle on these rows, or all of it."""
    for place, each in enumerate(seen):
        if (each.window, each.bundle) == (digest, bundle_sha256):
            return seen[:place]
    return seen
