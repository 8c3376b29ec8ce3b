"""A server takes out the answers that its site need not keep any longer."""

from __future__ import annotations

import time
from pathlib import Path

from fastapi.testclient import TestClient

from leadlight.database import open_database
from leadlight.journal import answers, keep
from leadlight.schema import DAY
from leadlight.shelf import champion_file
from tests.leadlight.journal.journal_builders import an_answer
from tests.serving.journal_builders import TARGET, copied
from tests.serving.serving_builders import SITE, WALL, School


def test_a_running_server_keeps_answers_as_long_as_its_site_says(school: School, tmp_path: Path) -> None:
    """Soon after it began, without anybody's doing; younger answers stay."""
    own = copied(school, tmp_path, f"{SITE}[journal]\nkeep_days = 7\n")
    champion_file(own.state, TARGET).unlink()  # nobody needs to answer here
    engine = open_database(own.site, own.state)
    keep(engine, [an_answer(f"{days} days", asked_at=WALL - days * DAY) for days in (6, 8, 80)])

    patience = time.monotonic() + 60
    with TestClient(own.app()):
        while len(answers(engine)) > 1 and time.monotonic() < patience:
            time.sleep(0.1)

    assert answers(engine)["id"].to_pylist() == ["6 days"]
    engine.dispose()
