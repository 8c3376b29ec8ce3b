"""Every notebook runs from top to bottom on the demo site, and holds no logic of its own."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_logic(path: Path) -> None:
    """A notebook imports, calls, plots and concludes: it defines nothing that a test could not reach."""
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state folder for all of them, as a reader has who takes them in their order."""
    return tmp_path_factory.mktemp("notebooks") / "state"


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as a reader would, from its own folder; every cell succeeds."""
    monkeypatch.setenv("LEADLIGHT_STATE", str(state))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("PATH", f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    notebook = jupytext.read(path)

    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()

    assert all(cell.get("execution_count") for cell in notebook.cells if cell.cell_type == "code")
