"""The hash of the code that a verdict rests on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import training
from training.provenance import code_digest

ROOT = Path(str(training.__file__)).parents[1]


def digest_in(folder: Path) -> str:
    """The digest as a process that finds the packages in this folder gives it."""
    command = [sys.executable, "-c", "from training.provenance import code_digest; print(code_digest())"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_the_digest_is_that_of_the_code(tmp_path: Path) -> None:
    """A copy elsewhere has the same digest, compiled files do not count, and one more comment changes it."""
    for package in ("leadlight", "features", "training"):
        shutil.copytree(ROOT / package, tmp_path / package)

    same = digest_in(tmp_path)
    with (tmp_path / "training" / "looks.py").open("a") as file:
        file.write("# one more\n")
    other = digest_in(tmp_path)

    assert same == code_digest()
    assert len(other) == 64
    assert other != same
