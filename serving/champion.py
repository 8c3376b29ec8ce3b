"""The champions: which model serves each target, checked before it serves and swapped in one step.

``STATE/champion/TARGET.json`` names a version. It serves if the gate's certificate beside its bundle is genuine by the
pinned key, names this very bundle and this target, and if the bundle loads and answers its golden rows in a child
process. Anything else counts as no champion: an older one never stands in.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from features.catalogue import Catalogue, Column, target_columns
from leadlight.model.bundle import Bundle
from leadlight.model.certificate import PUBLIC_KEY, Certificate, pinned_key, read_certificate, shortfalls
from leadlight.model.manifest import CERTIFICATE, read_checked
from leadlight.model.verify import NotInTimeError
from leadlight.registry.terms import line_of_champions, terms
from leadlight.settings import Site, SiteError
from leadlight.shelf import Champion as Named
from leadlight.shelf import bundle_folder, champion_file, keys_folder, named_champion
from serving.marks import Mark, mark_of
from serving.problems import Problem
from serving.proven import AT_HAND, Proven

_log = logging.getLogger("leadlight.serving")


@dataclass(frozen=True)
class Champion:
    """A model that may serve: its ``columns`` in order, and the certificate also as the gate ``signed`` it."""

    target: str
    version: str
    bundle: Bundle
    certificate: Certificate
    signed: Mapping[str, Any]
    columns: tuple[Column, ...]


class Champions:
    """The champion of each target, or what is wrong with it; ``refresh`` looks again at files that have changed."""

    def __init__(self, site: Site, catalogue: Catalogue, state: Path, proven: Proven | None = None) -> None:
        self._site = site
        self._catalogue = catalogue
        self._state = state
        self._proven = proven or Proven(AT_HAND * len(site.targets))
        self._key: Ed25519PublicKey | None = None
        self._seen: dict[str, Mark] = {}
        self._found: Mapping[str, Champion | SiteError] = {}
        self._stood_by: dict[str, str] = {}

    def refresh(self) -> None:
        """Check every champion file that changed since the last look, then let the new champions serve."""
        for target in self._site.targets:
            mark = mark_of(champion_file(self._state, target))
            if target not in self._found or mark != self._seen.get(target):
                found = self._load(target)
                if not isinstance(found, NotInTimeError):  # then the next look asks again
                    self._seen[target] = mark
                self._found = {**self._found, target: found}
                _report(target, found)

    def stand_by(self) -> None:
        """Have the champion before each champion at hand, so that a rollback to it waits for no child process."""
        for target, found in self._found.items():
            if isinstance(found, Champion) and self._stood_by.get(target) != found.version:
                self._stood_by[target] = found.version
                with suppress(SiteError):  # why it may not serve again is told to whoever rolls back to it
                    before = _before(self._state, target)
                    if before is not None:
                        folder = bundle_folder(self._state, target, before.version)
                        read_checked(folder, expected=before.bundle_sha256)
                        self._proven.load(folder, before.bundle_sha256)

    def get(self, target: str) -> Champion:
        """The target's champion; a 503 that says what is wrong and what to do if it has none."""
        found = self._found[target]
        if isinstance(found, SiteError):
            raise Problem(503, _words(target, found))
        return found

    def versions(self) -> dict[str, str | None]:
        """The champion's version of each target, ``None`` without one."""
        return {name: found.version if isinstance(found, Champion) else None for name, found in self._found.items()}

    def ready(self) -> dict[str, str | None]:
        """``versions``, or a 503 with what is wrong with every target if none of them has a champion."""
        versions = self.versions()
        if not any(versions.values()):
            wrong = [_words(name, found) for name, found in self._found.items() if isinstance(found, SiteError)]
            raise Problem(503, " ".join(wrong))
        return versions

    def _load(self, target: str) -> Champion | SiteError:
        path = keys_folder(self._state) / PUBLIC_KEY
        try:
            if path.is_file():
                self._key = self._key or pinned_key(path)
            named = named_champion(self._state, target)
            key = self._key = self._key or pinned_key(path)
            return load_version(
                self._catalogue, self._site, target, named, state=self._state, key=key, proven=self._proven
            )
        except SiteError as error:
            return error


def load_champion(catalogue: Catalogue, site: Site, target: str, *, state: Path) -> Champion:
    """The champion that the state names for ``target``; a ``SiteError`` with the fault if it may not serve."""
    named = named_champion(state, target)  # before the key: a state without a champion may have none
    return load_version(catalogue, site, target, named, state=state, key=pinned_key(keys_folder(state) / PUBLIC_KEY))


def load_version(
    catalogue: Catalogue,
    site: Site,
    target: str,
    named: Named,
    *,
    state: Path,
    key: Ed25519PublicKey,
    proven: Proven | None = None,
) -> Champion:
    """The ``named`` version for ``target``; a ``SiteError`` with the fault if it may not answer.

    Certificate and files are read anew each time; the child process is spared for a bundle that is ``proven``.
    """
    folder = bundle_folder(state, target, named.version)
    certificate = read_certificate(folder, key)
    signed = json.loads((folder / CERTIFICATE).read_bytes())
    manifest, _ = read_checked(folder, expected=certificate.bundle_sha256)
    faults = shortfalls(certificate, manifest.origin, target, site.targets[target])
    if certificate.bundle_sha256 != named.bundle_sha256:
        faults.append(f"its file names bundle {named.bundle_sha256}, not the certified one: promote again")
    columns = {column.name: column for column in target_columns(catalogue, site.targets[target].exclude)}
    gone = [name for name in manifest.columns if name not in columns]
    if gone:
        faults.append(f"catalogue.toml has no {', '.join(gone)}, which the model uses: train and promote again")
    elif catalogue.digest(manifest.columns) != manifest.origin.catalogue_hash:
        faults.append(
            "catalogue.toml computes the model's features otherwise than it learned them: train and promote again"
        )
    if faults:
        raise SiteError(faults)
    bundle = (proven or Proven()).load(folder, named.bundle_sha256)
    return Champion(
        target, str(named.version), bundle, certificate, signed, tuple(columns[name] for name in manifest.columns)
    )


def _before(state: Path, target: str) -> Named | None:
    """The champion before the one that serves, if the record knows one."""
    line = line_of_champions(terms(state, target))[:-1]
    return Named(line[-1].version, line[-1].bundle_sha256) if line else None


def _words(target: str, error: SiteError) -> str:
    return f"Target {target} cannot answer: {'; '.join(error.faults)}."


def _report(target: str, found: Champion | SiteError) -> None:
    if isinstance(found, Champion):
        _log.info("champion_serves", extra={"target": target, "version": found.version})
    else:
        _log.warning("no_champion", extra={"target": target, "faults": found.faults})
