"""One process at a time: the others wait, or hear of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from leadlight.locking import alone

HOLD = """
import sys
from pathlib import Path
from leadlight.locking import alone
with alone(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


def test_who_finds_it_taken_hears_of_it_and_waits(tmp_path: Path) -> None:
    """Another process holds the lock; it is told once, and the block is entered when that one has been killed."""
    path, told = tmp_path / "deep" / "lock", []
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in\n"

        def taken() -> None:
            told.append(holder.poll())
            holder.kill()

        with alone(path, taken):
            assert told == [None]

    with alone(path, lambda: pytest.fail("nobody holds it any more")):
        pass


def test_who_will_not_wait_raises(tmp_path: Path) -> None:
    """What is raised when the lock is taken leaves the block unentered."""

    def taken() -> None:
        raise TimeoutError

    with alone(tmp_path / "lock"), pytest.raises(TimeoutError), alone(tmp_path / "lock", taken):
        pytest.fail("entered")
