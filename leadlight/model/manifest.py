"""What a bundle says of itself: canonical JSON, and the size and hash of every file. Knows nothing of models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from leadlight.schema import FOREVER, Micros
from leadlight.settings import SiteError

FORMAT = 3
MANIFEST = "manifest.json"
CERTIFICATE = "certificate.json"


@dataclass(frozen=True)
class Origin:
    """Where a model comes from: its target and question, the features and rows it was fitted on, and when they end.

    ``catalogue_hash`` is of how the catalogue computes the model's columns.

    ``parent`` is the bundle that this one differs from by its offset alone, and what moves with it; ``moved_until`` is
    the newest of the rows whose outcomes moved it.
    """

    target: str
    question: str
    catalogue_hash: str
    data_digest: str
    seed: int
    rows: int
    positives: int
    trained_until: Micros
    parent: str | None = None
    moved_until: Micros | None = None

    @property
    def seen_until(self) -> Micros:
        """The newest row that it learned from or was moved by; ``FOREVER`` if moved before that was written down."""
        if self.parent is not None and self.moved_until is None:
            return FOREVER
        return max(self.trained_until, self.moved_until or self.trained_until)

    @property
    def fitted(self) -> Self:
        """The same before anything moved its offset."""
        return replace(self, parent=None, moved_until=None)

    def moved(self, parent: str, *, until: Micros) -> Self:
        """The origin of what this bundle, the ``parent``, becomes when outcomes of rows ``until`` then move its offset.

        What moved the parent counts for its children too.
        """
        return replace(self, parent=parent, moved_until=max(until, self.moved_until or until))


@dataclass(frozen=True)
class Manifest:
    """The contents of ``manifest.json``; ``files`` are the (bytes, SHA-256) of every other file by name."""

    origin: Origin
    columns: tuple[str, ...]
    trees: int
    files: Mapping[str, tuple[int, str]]

    def to_bytes(self) -> bytes:
        """The file, whose SHA-256 names the bundle."""
        return canonical(
            {
                "columns": list(self.columns),
                "files": {name: {"bytes": size, "sha256": digest} for name, (size, digest) in self.files.items()},
                "format": FORMAT,
                "origin": {name: value for name, value in asdict(self.origin).items() if value is not None},
                "trees": self.trees,
            }
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The manifest of a file already known to be the one that was written."""
        document: dict[str, Any] = json.loads(content)
        if document["format"] != FORMAT:
            raise SiteError([f"the bundle has format {document['format']}, this Leadlight reads {FORMAT}: train again"])
        return cls(
            origin=Origin(**document["origin"]),
            columns=tuple(document["columns"]),
            trees=document["trees"],
            files={name: (entry["bytes"], entry["sha256"]) for name, entry in document["files"].items()},
        )


def canonical(document: object) -> bytes:
    """The one spelling of a JSON document: sorted keys, no blanks, ASCII, no NaN."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_checked(folder: Path, *, expected: str) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the contents of all files of the bundle named ``expected``.

    Nothing is parsed before its hash is known to be right. Anything missing, unknown or altered is a ``SiteError``
    with every fault.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise SiteError([f"{folder} holds no bundle ({MANIFEST} is missing): train, or restore the folder"])
    content = path.read_bytes()
    if sha256(content) != expected:
        raise SiteError(
            [f"{path} is not that of bundle {expected}, its hash is {sha256(content)}: restore or train again"]
        )
    manifest = Manifest.from_bytes(content)
    present = {entry.name for entry in folder.iterdir()} - {MANIFEST, CERTIFICATE}
    faults = [f"{folder / name} belongs to no bundle: remove it" for name in sorted(present - set(manifest.files))]
    contents = {}
    for name, (size, digest) in sorted(manifest.files.items()):
        try:
            contents[name] = _read(folder / name, size=size, digest=digest)
        except SiteError as error:
            faults.extend(error.faults)
    if faults:
        raise SiteError(faults)
    return manifest, contents


def _read(path: Path, *, size: int, digest: str) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise SiteError([f"{path} is missing or no plain file: restore it or train again"])
    found = path.stat().st_size
    if found != size:
        raise SiteError([f"{path} has {found} bytes, its manifest says {size}: restore it or train again"])
    content = path.read_bytes()
    if sha256(content) != digest:
        raise SiteError([f"{path} was altered, its hash is not the manifest's: restore it or train again"])
    return content
