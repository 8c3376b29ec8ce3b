"""The house itself: its rooms, its arrows and doors, its lock, and that it names no machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LONGEST

ROOT = Path(__file__).parents[1]
ROOMS = ("leadlight", "features", "feature_repo", "training", "serving")
# One import for each contract of pyproject.toml that it must not let through.
FORBIDDEN = {
    "Arrows": ("features/planted.py", "import training"),
    "Serving knows neither labels nor made data": ("serving/planted.py", "import features.labels"),
    "The server imports neither shap nor mlflow": ("serving/planted.py", "import shap"),
    "Door to Feast": ("features/planted.py", "from feast import Entity"),
    "Door to MLflow": ("features/planted.py", "import mlflow.tracking"),
    "Door to LightGBM": ("training/planted.py", "import lightgbm"),
    "Door to Optuna": ("training/planted.py", "import optuna"),
    "Door to FastAPI": ("training/planted.py", "from fastapi import FastAPI"),
    "Door to ibis": ("training/planted.py", "import ibis"),
    "Door to SQLAlchemy": ("training/planted.py", "import sqlalchemy"),
    "Door to Spark": ("features/planted.py", "import pyspark"),
}


def test_the_top_level_has_every_room() -> None:
    """The folders that the design names exist."""
    rooms = (*ROOMS, "benchmarks", "docs/decisions", "examples", "notebooks", "tests")

    missing = [room for room in rooms if not (ROOT / room).is_dir()]

    assert missing == []


def test_every_module_of_the_vocabulary_has_its_place_among_the_arrows() -> None:
    """A new module under ``leadlight/`` cannot escape the order of layers by not being named in it."""
    modules = {
        path.stem for path in (ROOT / "leadlight").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }

    placed = set(re.findall(r"leadlight\.(\w+)", " ".join(_contracts()["Arrows"]["layers"])))

    assert modules - {"__init__"} - placed == set()


def test_each_forbidden_import_breaks_its_contract(tmp_path: Path) -> None:
    """import-linter refuses a copy of the tree that has one import against each contract, and names all of them."""
    _copy_rooms(tmp_path)
    for file, line in FORBIDDEN.values():
        with (tmp_path / file).open("a", encoding="utf-8") as planted:
            planted.write(f"{line}\n")

    verdict = _lint_imports(tmp_path)

    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    broken = set(re.findall(r"^(.+) BROKEN", verdict.stdout, flags=re.MULTILINE))
    assert broken == set(_contracts()) == set(FORBIDDEN)


@pytest.mark.parametrize(
    ("package", "bound"),
    [
        ("feast", ("0.67", "0.68")),
        ("duckdb", ("1.4", "2")),
        ("sqlglot", ("0", "30.18")),
        ("ibis-framework", ("12", "13")),
        ("pandas", ("0", "3")),
        ("mlflow", ("3.17.2", "4")),
        ("lightgbm", ("4.6", "5")),
        ("shap", ("0.51", "1")),
        ("hatchling", ("1.27", "2")),
        ("httpx2", ("2", "3")),
    ],
)
def test_the_lock_keeps_the_pins(package: str, bound: tuple[str, str]) -> None:
    """Every locked version lies from the first bound up to, not including, the second."""
    versions = re.findall(rf"^{re.escape(package)}==(\S+)", _lock(), flags=re.MULTILINE)

    inside = [_release(bound[0]) <= _release(version) < _release(bound[1]) for version in versions]

    assert inside, f"{package} is not in the lock"
    assert all(inside), f"{package} is locked at {versions}"


def test_the_lock_has_hashes_and_no_addresses() -> None:
    """Each package in the lock is one version with SHA-256 hashes, and nothing tells where it was fetched."""
    entries = re.split(r"\n(?=\S)", _lock().strip())

    bare = [entry.split()[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)]

    assert bare == []
    assert all(re.match(r"[a-z0-9._-]+(\[[a-z0-9,._-]+\])?==\S+ ", entry) for entry in entries)
    assert not re.search(r"://|--(extra-)?index-url|--find-links| @ ", _lock())


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    """Everything that ``pyproject.toml`` names is in the lock, the build backend and the tools included."""
    project = _pyproject()["project"]
    asked = [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *_pyproject()["build-system"]["requires"],
    ]

    names = {re.split(r"[\[<>=!~ ]", requirement)[0].lower() for requirement in asked}

    assert names - set(re.findall(r"^([a-z0-9._-]+)==", _lock(), flags=re.MULTILINE)) == set()


def test_no_file_names_a_machine() -> None:
    """No file of the repository holds a path of someone's machine or the host of a package registry."""
    homes = {str(Path.home()), str(ROOT.parent)} - {"/"}
    traces = re.compile(
        "|".join([rf"{re.escape(home)}/\w" for home in sorted(homes)])
        + r"|/(home|Users)/\w|[A-Z]:\\Users|pyp[i]\.org|pyth[o]nhosted|https?://\S+\.(whl|tar\.gz)\b|index-url ?[=h]"
    )

    found = [f"{path}: {match[0]}" for path in _files() if (match := traces.search(_text(ROOT / path)))]

    assert found == []


def test_the_files_that_are_handed_out_first_are_there() -> None:
    """A file that was renamed does not silently lose its place."""
    assert [file for file in LONGEST if not (ROOT / file).is_file()] == []


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _contracts() -> dict[str, dict[str, Any]]:
    return {contract["name"]: contract for contract in _pyproject()["tool"]["importlinter"]["contracts"]}


def _lock() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _copy_rooms(folder: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "state"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _files() -> list[str]:
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nobody knows which files belong to it")
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in listed.split("\0") if path and (ROOT / path).is_file()]


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="ignore")
