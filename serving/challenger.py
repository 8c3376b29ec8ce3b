"""The challengers: which certified model scores in the shadow of each target's champion. They touch no answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from features.catalogue import Catalogue
from leadlight.model.certificate import PUBLIC_KEY, pinned_key
from leadlight.settings import Site, SiteError
from leadlight.shelf import challenger_file, current_challenger, keys_folder
from serving.champion import Champion, load_version
from serving.marks import Mark, mark_of
from serving.proven import Proven

_log = logging.getLogger("leadlight.serving")


class Challengers:
    """The challenger of each target that has one; ``refresh`` looks again at files that have changed."""

    def __init__(self, site: Site, catalogue: Catalogue, state: Path, proven: Proven | None = None) -> None:
        self._site = site
        self._catalogue = catalogue
        self._state = state
        self._proven = proven
        self._seen: dict[str, Mark] = {}
        self._found: Mapping[str, Champion] = {}

    def refresh(self) -> None:
        """Check every challenger file that changed since the last look; one that may not score is told in the log."""
        for target in self._site.targets:
            mark = mark_of(challenger_file(self._state, target))
            if mark != self._seen.get(target):
                self._seen[target] = mark
                self._found = {name: each for name, each in self._found.items() if name != target}
                found = self._load(target)
                if found is not None:
                    self._found = {**self._found, target: found}

    def get(self, champion: Champion) -> Champion | None:
        """The challenger in this champion's shadow, if there is one and it is another model."""
        found = self._found.get(champion.target)
        return None if found is None or found.bundle.sha256 == champion.bundle.sha256 else found

    def _load(self, target: str) -> Champion | None:
        try:
            found = load_challenger(self._catalogue, self._site, target, state=self._state, proven=self._proven)
        except SiteError as error:
            _log.warning("no_challenger", extra={"target": target, "faults": error.faults})
            return None
        if found is not None:
            _log.info("challenger_scores", extra={"target": target, "version": found.version})
        return found


def load_challenger(
    catalogue: Catalogue, site: Site, target: str, *, state: Path, proven: Proven | None = None
) -> Champion | None:
    """The challenger that the state names for ``target``, if any; a ``SiteError`` if it may not even score in shadow.

    It is held to what a champion is held to: a genuine certificate about this very bundle.
    """
    named = current_challenger(state, target)
    if named is None:
        return None
    key = pinned_key(keys_folder(state) / PUBLIC_KEY)
    return load_version(catalogue, site, target, named, state=state, key=key, proven=proven)
