"""The code that a verdict rests on, as one hash."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import features
import leadlight
import training

PACKAGES = (leadlight, features, training)


@cache
def code_digest() -> str:
    """SHA-256 of every file of the installed vocabulary, features and training, by its name within its package."""
    seen = hashlib.sha256()
    for package in PACKAGES:
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                seen.update(f"{package.__name__}/{path.relative_to(root).as_posix()}\n".encode())
                seen.update(hashlib.sha256(path.read_bytes()).digest())
    return seen.hexdigest()
