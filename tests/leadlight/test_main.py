"""The command line: exit codes, one JSON object on stdout, and no traceback for a user's mistake."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.features.raw_builders import school

DEMO = Path(__file__).parents[2] / "examples" / "demo"
Done = subprocess.CompletedProcess[str]


def leadlight(*words: object) -> Done:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "leadlight", *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A school with two faults in its raw data: an unknown kind, and an event of an unknown lead."""
    lead = "SELECT 'L1' AS lead_id, TIMESTAMP '2025-03-01' AS created_at, 'sem' AS channel, 'x' AS city, 1.0 AS budget"
    event = (
        "SELECT 'E1' AS event_id, 'L9' AS lead_id, 'gift' AS kind, TIMESTAMP '2025-03-02' AS at,"
        " NULL AS arrived_at, NULL AS amount, NULL AS course, NULL AS status"
    )
    school(tmp_path / "school", leads_sql=lead, events_sql=event)
    (tmp_path / "school" / "raw").mkdir()
    (tmp_path / "school" / "raw" / "leads.csv").write_text("lead_id,converted\n1,0\n2,1\n", encoding="utf-8")
    return tmp_path / "school"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "nowhere"], "leadlight init"),
        (["train", "{site}", "--target", "renewal"], "first_order"),
        (["build", "{site}"], "--data DIR"),
        (["build", "{site}", "--data", "{site}/data", "--as-of", "yesterday"], "2025-03-01T09:00"),
        (["build", "{site}", "--data", "{site}/data", "--as-of", "2999-01-01"], "future"),
        (["serve", "{site}", "--host", "192.0.2.1"], "API key"),
        (["serve", "{site}", "--port", "{taken}"], "choose another port"),
        (["init", "{site}/leadlight.toml", "--data", "{site}/raw"], "leadlight.toml"),
        (["fly", "{site}"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2(site: Path, words: list[str], said: str) -> None:
    """What the call itself got wrong is said in one line, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = leadlight(*(word.replace("{site}", str(site)).replace("{taken}", port) for word in words))

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_faults_of_the_data_end_with_1(site: Path) -> None:
    """All faults come at once, as words on stderr and as one JSON object on stdout."""
    done = leadlight("check", site, "--data", site / "data", "--json")

    faults = json.loads(done.stdout)["faults"]
    assert done.returncode == 1
    assert len(faults) == 2
    assert all(fault in done.stderr for fault in faults)
    assert not (site / "state" / "history").exists()


def test_a_folder_that_failed_is_not_remembered(site: Path) -> None:
    """The next command asks for --data again."""
    first = leadlight("build", site, "--data", site / "nowhere")
    second = leadlight("build", site)

    assert (first.returncode, second.returncode) == (1, 2)
    assert "--data DIR" in second.stderr


def test_promote_before_train_ends_with_1(site: Path) -> None:
    """A target without a version says what to run."""
    done = leadlight("promote", site)

    assert done.returncode == 1
    assert "leadlight train SITE --target first_order" in done.stderr


@pytest.mark.proof  # a writer waits half a minute for others
def test_a_database_that_is_held_ends_with_1(tmp_path: Path) -> None:
    """It is said that the caller is not at fault, and what to do."""
    shutil.copy(DEMO / "leadlight.toml", tmp_path)
    assert leadlight("keys", "list", tmp_path).returncode == 0
    with closing(sqlite3.connect(tmp_path / "state" / "leadlight.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = leadlight("keys", "add", tmp_path, "--name", "CRM", "--scope", "crm", "--json")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "no fault of what you gave; run the same command again" in done.stderr
    assert len(json.loads(done.stdout)["faults"]) == 1


def test_init_answers_with_its_files(tmp_path: Path) -> None:
    """The drafted files are named in one JSON object; a second call is refused and changes nothing."""
    data = tmp_path / "data"
    data.mkdir()
    rows = "\n".join(f"{number},2025-01-0{number % 9 + 1},{number % 2}" for number in range(1, 21))
    (data / "leads.csv").write_text(f"lead_id,created_at,converted\n{rows}\n", encoding="utf-8")

    first = leadlight("init", tmp_path / "shop", "--data", data, "--json")
    second = leadlight("init", tmp_path / "shop", "--data", data, "--json")

    files = json.loads(first.stdout)["files"]
    assert (first.returncode, second.returncode) == (0, 1)
    assert [Path(file).is_file() for file in files] == [True] * 4
    assert len(json.loads(second.stdout)["faults"]) == 4
