"""Bundles that this process has proven: checked in a child process once, then loaded, and at hand for a while.

Whoever served a moment ago can serve again at once: a rollback waits for no child process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from leadlight.model.bundle import Bundle, load_bundle
from leadlight.model.verify import verify_in_child

AT_HAND = 3
"""Versions of each target at hand: the champion, the one before it, and a challenger."""


class Proven:
    """The ``room`` bundles that were asked for last, by their SHA-256, which names every byte of their files.

    Any thread may ask; two that ask for the same new bundle may both prove it.
    """

    def __init__(self, room: int = AT_HAND) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Bundle] = OrderedDict()

    def load(self, folder: Path, sha256: str) -> Bundle:
        """The bundle in ``folder``, whose files have this SHA-256; a ``SiteError`` if it does not load and answer."""
        with self._lock:
            found = self._held.get(sha256)
        if found is None:
            verify_in_child(folder, expected=sha256)
            found = load_bundle(folder, expected=sha256)
        with self._lock:
            self._held[sha256] = found
            self._held.move_to_end(sha256)
            while len(self._held) > self._room:
                self._held.popitem(last=False)
        return found
