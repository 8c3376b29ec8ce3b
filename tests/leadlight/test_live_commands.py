"""Ingest and erase by command: what they print, what they leave, how they end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from leadlight.__main__ import app
from leadlight.settings import SiteError, UsageError
from tests.features.broken_files import write_broken_parquet
from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, Replay, made_site
from tests.serving.serving_builders import CATALOGUE
from tests.traces import files_with

CALLS = [(1, "L05", "trial"), (2, "L05", "trail"), (3, "L06", "tral")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """A site of twenty leads, built and known to the commands."""
    made = made_site(tmp_path_factory.mktemp("built") / "site", SITE_ON_THE_WALL_CLOCK, CATALOGUE, seed=4)
    assert run("build", made.site.folder, "--data", made.data).exception is None
    return made


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


def run(*words: object) -> Result:
    """The same within this process, with what it refused as its exception."""
    return CliRunner().invoke(app, [*map(str, words), "--json"])


@pytest.mark.proof
def test_a_file_is_ingested_and_a_person_erased(site: Replay, tmp_path: Path) -> None:
    """Good rows stay though others are refused; what is erased does not come back with the company's files."""
    file, told_in = tmp_path / "calls.csv", tmp_path / "calls.csv.errors.csv"
    rows = [f"call-{n},{lead},{kind},2025-10-01 10:00" for n, lead, kind in CALLS]
    file.write_text("\n".join(["event_id,lead_id,kind,at", *rows, rows[0] + ",x"]), encoding="utf-8")

    code, taken, told = leadlight("ingest", site.site.folder, file, "--data", site.data)
    assert code == 1
    assert (taken["rows"], taken["added"], taken["refused"]) == (4, 1, 3)
    assert "calls.csv.errors.csv" in told
    assert "trail" in told_in.read_text(encoding="utf-8-sig")
    assert S_IMODE(told_in.stat().st_mode) == 0o600

    code, erased, _ = leadlight("erase", site.site.folder, "L05")
    assert code == 0
    assert "L05" in erased["leads"]
    assert erased["removed"]["log/events"] == 1
    assert erased["removed"][str(told_in)] == 1
    assert "trail" not in told_in.read_text(encoding="utf-8-sig")
    assert "tral" in told_in.read_text(encoding="utf-8-sig")
    assert S_IMODE(told_in.stat().st_mode) == 0o600

    code, built, _ = leadlight("build", site.site.folder)
    assert code == 0
    assert built["leads"] == 20 - len(erased["leads"])
    assert files_with(site.state, "call-1") == []


def test_what_a_file_was_told_goes_once_it_is_mended(built: Replay, tmp_path: Path) -> None:
    """No old complaint stays beside a file that was taken whole."""
    file, told_in = tmp_path / "calls.csv", tmp_path / "calls.csv.errors.csv"
    header, row = "event_id,lead_id,kind,at", "call-1,L06,trial,2025-10-01 10:00"

    file.write_text(f"{header}\n{row},x\n", encoding="utf-8")
    first = run("ingest", built.site.folder, file)
    complained = told_in.exists()
    file.write_text(f"{header}\n{row}\n", encoding="utf-8")
    second = run("ingest", built.site.folder, file)

    assert isinstance(first.exception, SiteError)
    assert complained
    assert second.exception is None
    assert not told_in.exists()


def test_counts_and_refusals_are_told_whatever_ends_it(built: Replay, tmp_path: Path) -> None:
    """A file that breaks off in its second part: what came of the first is known."""
    file = tmp_path / "half.parquet"
    write_broken_parquet(file, "L07")

    done = run("ingest", built.site.folder, file)

    assert isinstance(done.exception, UsageError)
    answer = json.loads(done.stdout.splitlines()[0])
    assert (answer["rows"], answer["added"], answer["refused"]) == (1_000, 999, 1)
    assert "soon" in (tmp_path / "half.parquet.errors.csv").read_text(encoding="utf-8-sig")
