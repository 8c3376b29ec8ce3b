"""Ingest and erase by command: what they print, what they leave, how they end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, Replay, made_site
from tests.serving.serving_builders import CATALOGUE
from tests.traces import files_with


@pytest.fixture
def site(tmp_path: Path) -> Replay:
    """A site of twenty leads, not built yet."""
    return made_site(tmp_path / "site", SITE_ON_THE_WALL_CLOCK, CATALOGUE, seed=4)


def leadlight(*words: object) -> tuple[int, dict[str, Any], str]:
    """How the command ended, its JSON, and what it told."""
    done = subprocess.run(
        [sys.executable, "-m", "leadlight", *map(str, words), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[0]), done.stderr


@pytest.mark.proof
def test_a_file_is_ingested_and_a_person_erased(site: Replay, tmp_path: Path) -> None:
    """Good rows stay though others are refused; what is erased does not come back with the company's files."""
    file = tmp_path / "calls.csv"
    file.write_text("event_id,lead_id,kind,at\ncall-1,L05,trial,2025-10-01 10:00\ncall-2,L05,trail,2025-10-01 10:00\n")

    code, taken, told = leadlight("ingest", site.site.folder, file, "--data", site.data)
    assert code == 1
    assert (taken["rows"], taken["added"], taken["refused"]) == (2, 1, 1)
    assert "calls.csv.errors.csv" in told
    assert "trail" in (tmp_path / "calls.csv.errors.csv").read_text(encoding="utf-8-sig")

    code, erased, _ = leadlight("erase", site.site.folder, "L05")
    assert code == 0
    assert "L05" in erased["leads"]
    assert erased["removed"]["log/events"] == 1

    code, built, _ = leadlight("build", site.site.folder)
    assert code == 0
    assert built["leads"] == 20 - len(erased["leads"])
    assert files_with(site.state, "call-1") == []
