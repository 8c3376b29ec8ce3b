"""What is still to be found in the files of a folder."""

from __future__ import annotations

from pathlib import Path


def files_with(folder: Path, *texts: str) -> list[str]:
    """The files under the folder in which one of the texts stands: their names, not their megabytes, when one does."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in files if any(text.encode() in path.read_bytes() for text in texts)]
