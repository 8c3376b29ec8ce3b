"""The commands after a model went live, as cron calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.features.raw_builders import school


@pytest.mark.parametrize("command", ["monitor", "recalibrate", "score"])
def test_without_a_champion_they_say_what_to_do(tmp_path: Path, command: str) -> None:
    """Exit code 1 and one JSON object with the fault; nothing was built for it."""
    school(tmp_path / "school")

    words = [command, str(tmp_path / "school"), "--data", str(tmp_path / "school" / "data"), "--json"]
    words += ["--out", str(tmp_path / "scores.csv")] if command == "score" else []
    done = subprocess.run(
        [sys.executable, "-m", "leadlight", *words], capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 1
    (fault,) = json.loads(done.stdout)["faults"]
    assert "train and promote one first" in fault
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "school" / "state").exists()
