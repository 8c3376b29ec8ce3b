"""How a change of a file is noticed: a mark that differs as soon as the file was written or replaced."""

from __future__ import annotations

from pathlib import Path

Mark = tuple[int, int, int] | None


def mark_of(path: Path) -> Mark:
    """The time of the last change, size and inode of a file; ``None`` if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
