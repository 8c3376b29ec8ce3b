"""The keys commands: a key is shown once, listed without itself, and ended."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from leadlight.__main__ import app
from leadlight.database import open_database
from leadlight.settings import SiteError, load_site
from serving.access import Access, Keys

DEMO = Path(__file__).parents[2] / "examples" / "demo"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site that nothing was built for."""
    shutil.copy(DEMO / "leadlight.toml", tmp_path)
    return tmp_path


def run(*words: object) -> Result:
    """One command, run to its end; what it refuses is raised."""
    done = CliRunner().invoke(app, ["keys", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def answer(*words: object) -> Any:  # noqa: ANN401  what the command prints
    return json.loads(run(*words, "--json").stdout)


def test_a_key_is_added_listed_and_revoked(folder: Path) -> None:
    """What add shows opens the server, until revoke; no list shows it again."""
    made = answer("add", folder, "--name", "our CRM", "--scope", "crm")
    text = made.pop("key")
    access = Access(Keys(open_database(load_site(folder), folder / "state")))

    listed = answer("list", folder)["keys"]
    revoked = answer("revoke", folder, "our CRM")
    after = run("list", folder).stdout

    found = access.key(text)
    assert found is not None
    assert (found.id, found.name, found.scope) == (made["id"], "our CRM", "crm")
    assert listed == [made]
    assert made["revoked_at"] is None
    assert revoked == {**made, "revoked_at": revoked["revoked_at"]}
    assert "our CRM" in after
    assert "(revoked " in after
    assert text not in after + json.dumps(listed)


def test_without_json_the_key_alone_is_on_stdout(folder: Path) -> None:
    """So that it can be piped into a safe; what it is for goes to stderr."""
    done = run("add", folder, "--name", "CRM", "--scope", "admin")

    assert done.stdout.startswith("leadlight_")
    assert len(done.stdout.split()) == 1
    assert "not shown again" in done.stderr


def test_what_cannot_be_is_refused(folder: Path) -> None:
    """A taken name, an unknown key and an unknown scope change nothing."""
    run("add", folder, "--name", "CRM", "--scope", "crm")

    with pytest.raises(SiteError, match="a valid key has this name"):
        run("add", folder, "--name", "CRM", "--scope", "sales")
    with pytest.raises(SiteError, match="valid are: CRM"):
        run("revoke", folder, "nobody")
    assert run("add", folder, "--name", "x", "--scope", "root").exit_code == 2

    assert [key["scope"] for key in answer("list", folder)["keys"]] == ["crm"]
