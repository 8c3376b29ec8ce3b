"""The identity commands: a reviewer's words, and the key."""

from __future__ import annotations

import datetime as dt
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from features.history import open_history
from features.identity import hashes_of
from features.identity.key import VARIABLE, identity_key, key_file
from features.identity.propose import INSTALL
from features.log import Log, NewVersion
from leadlight.__main__ import app
from leadlight.database import open_database
from leadlight.schema import to_micros
from leadlight.settings import SiteError, UsageError, load_site
from tests.features.identity.identity_builders import evidence
from tests.features.identity.review_builders import write_base
from tests.features.raw_builders import leads, school


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school with a base of three leads, of which a and b share a phone."""
    folder = tmp_path_factory.mktemp("school")
    site, _ = school(folder)
    write_base(site, folder / "state", evidence("a phone 1 @1", "b phone 1 @2"), dict.fromkeys("abc", "Lund"))
    return folder


@pytest.fixture(autouse=True)
def _no_key_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def answer(*words: object) -> Any:  # noqa: ANN401 -- what the command prints
    """What one command answers; what it refuses is raised."""
    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)


def test_a_merge_is_accepted_and_taken_back(folder: Path) -> None:
    """Each word says who is who from then on, and stays in the log with its why."""
    accepted = answer("identity", "accept", folder, "c", "b", "--why", "met them")
    parted = answer("identity", "split", folder, "c", "--from", "b")
    alone = answer("identity", "split", folder, "a")

    assert accepted["persons"] == {"c": ["a", "b", "c"], "b": ["a", "b", "c"]}
    assert parted["persons"] == {"c": ["c"], "b": ["a", "b"]}
    assert alone["persons"] == {"a": ["a"]}
    site = load_site(folder)
    edges = Log(open_database(site, folder / "state")).edges_of("abc")
    said = [(e.lead_id, e.other_id, e.verdict, e.source, e.evidence) for e in sorted(edges, key=lambda e: e.seq)]
    assert said == [
        ("c", "b", "same", "review", "met them"),
        ("c", "b", "apart", "review", ""),
        ("a", None, "apart", "review", ""),
    ]


def test_what_is_wrong_with_a_word_is_said(folder: Path) -> None:
    """An unknown lead, or a lead with itself, is refused before anything is kept."""
    with pytest.raises(SiteError, match="'nobody' is not known"):
        answer("identity", "accept", folder, "a", "nobody")
    with pytest.raises(SiteError, match="name two leads"):
        answer("identity", "accept", folder, "a", "a")


def test_nothing_is_held(folder: Path) -> None:
    """A site without too large a person has nothing to list."""
    assert answer("identity", "held", folder) == {"held": []}


@pytest.mark.skipif(find_spec("splink") is not None, reason="Splink is installed")
def test_proposals_need_splink(folder: Path) -> None:
    """Without the extra, the one line that installs it."""
    with pytest.raises(UsageError) as refused:
        answer("identity", "propose", folder)

    assert refused.value.faults == (INSTALL,)


def test_the_key_is_made_once_and_never_shown(folder: Path, tmp_path: Path) -> None:
    """The command says where the key lies and what it is called, again and again the same."""
    made = answer("identity", "key", folder, "--state", tmp_path)
    again = answer("identity", "key", folder, "--state", tmp_path)

    assert made == again
    assert made["where"] == str(key_file(tmp_path))
    assert key_file(tmp_path).read_text(encoding="ascii").strip() not in json.dumps(made)


def test_a_key_of_the_environment_makes_no_file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gives the key needs none."""
    monkeypatch.setenv(VARIABLE, "x" * 40)

    assert answer("identity", "key", folder, "--state", tmp_path)["where"] == VARIABLE
    assert not key_file(tmp_path).exists()


def test_a_rotation_needs_a_key(folder: Path, tmp_path: Path) -> None:
    """Where nothing is hashed there is nothing to rotate."""
    with pytest.raises(UsageError, match="leadlight identity key"):
        answer("identity", "rotate", folder, "--state", tmp_path)


LEADS = leads(
    "('L1', TIMESTAMP '2025-03-01 10:00', 'sem', 'Beijing', 100.5, '13812345678')",
    "('L2', TIMESTAMP '2025-03-01 11:00', 'sem', 'Beijing', 90.5, '+86 138 1234 5678')",
    columns="lead_id, created_at, channel, city, budget, phone",
)


NAMES = ("L1", "L2", "L3")
MARCH = dt.datetime(2025, 3, 1, 12, tzinfo=dt.UTC)


def test_a_rotation_keeps_who_is_who_under_another_key(tmp_path: Path) -> None:
    """Base and log are hashed anew, nobody becomes another, and no hash under the old key alone is left to be read."""
    site, _ = school(tmp_path, leads_sql=LEADS)
    state = tmp_path / "state"
    first = answer("identity", "key", tmp_path)["key"]
    old = identity_key(site, state, {})
    assert old is not None
    hashes = hashes_of({"phone": "13812345678"}, old, "CN")
    live = NewVersion("L3", to_micros(MARCH), "sem", None, to_micros(MARCH), {}, hashes)
    Log(open_database(site, state)).append([live], now=lambda: to_micros(MARCH), base={})
    answer("build", tmp_path, "--data", tmp_path / "data")
    before = open_history(state)

    second = answer("identity", "rotate", tmp_path)
    after = open_history(state)
    contacts = [*after.contacts_of(NAMES), *Log(open_database(site, state)).contacts_of(NAMES)]
    (segment,) = (state / "live").glob("*/contacts.parquet")

    assert {stay.canonical_id for lead in NAMES for stay in before.identity.of(lead)[-1:]} == {"L1"}
    assert list(after.identity.intervals()) == list(before.identity.intervals())
    assert {each.hash.partition(".")[0] for each in before.contacts_of(NAMES)} == {first}
    assert len({each.hash for each in contacts}) == 1
    assert {each.hash for each in contacts} == set(pq.read_table(segment)["hash"].to_pylist())
    assert contacts[0].hash.startswith(second["key"])
    assert second["key"] != first
    assert second["contacts"] == 1
