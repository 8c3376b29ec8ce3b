"""What is still to be found in the files of a folder."""

from __future__ import annotations

from pathlib import Path


def files_with(folder: Path, *texts: str) -> list[str]:
    """The files under the folder in which one of the texts stands: their names, not their megabytes, when one does."""
    return [path.name for path in sorted(folder.rglob("*")) if any(text.encode() in _content(path) for text in texts)]


def _content(path: Path) -> bytes:
    """Nothing of a folder, and of a file that a database has taken away meanwhile."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return b""
