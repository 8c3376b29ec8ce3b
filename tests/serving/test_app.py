"""The server: who may reach it, what it loads, how it sees changes, and that no error leaks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from features.log import Log
from leadlight.database import open_database
from leadlight.journal import keep
from leadlight.schema import HOUR, Micros
from leadlight.settings import SiteError, UsageError
from leadlight.shelf import champion_file
from serving.app import BODY_AT_MOST
from serving.journal import Journal
from serving.listening import check_host
from serving.service import Service
from tests.serving.serving_builders import NOON, WALL, School, name_champion


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_served(host: str) -> None:
    """This machine may ask."""
    check_host(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", ""])  # noqa: S104  # what must be refused
def test_other_machines_are_not_served_without_keys(host: str) -> None:
    """A host that others reach is refused with what to do."""
    with pytest.raises(UsageError, match="no API key is configured"):
        check_host(host)


def test_a_state_without_a_build_is_refused(school: School, tmp_path: Path) -> None:
    """A server over nothing does not start; it says which command comes first."""
    with pytest.raises(SiteError, match="leadlight build"):
        School(school.site, school.catalogue, tmp_path).app()


def test_the_server_loads_neither_training_nor_its_tools() -> None:
    """shap, mlflow, training, labels and the sample generator stay out of the server's process."""
    code = "import sys, json, serving.app, serving.bulk; print(json.dumps(sorted(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = set(json.loads(done.stdout))
    assert not loaded & {"shap", "mlflow", "training", "features.labels", "leadlight.sample", "matplotlib"}


def test_a_body_beyond_the_limit_is_refused(client: TestClient) -> None:
    """What is larger than the limit is not even read to its end."""
    body = b'{"leads": [' + b" " * BODY_AT_MOST + b"]}"

    answer = client.post("/v1/scores", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 413
    assert answer.json()["title"]


@pytest.mark.parametrize(("path", "status"), [("/v1/nothing", 404), ("/v1/scores", 405), ("/docs", 404)])
def test_every_error_is_a_problem_document(client: TestClient, path: str, status: int) -> None:
    """Errors of the framework have the same shape as ours."""
    answer = client.get(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "errors"} == set(answer.json())


def test_a_failure_of_ours_leaks_nothing(school: School, tmp_path: Path) -> None:
    """When the history is torn away the answer is a 500 without a word of the inside."""
    shutil.copytree(school.state, tmp_path / "state")
    broken = School(school.site, school.catalogue, tmp_path / "state")
    with TestClient(broken.app(), raise_server_exceptions=False) as client:
        shutil.rmtree(broken.state / "history")
        answer = client.get("/v1/leads/hot")

    assert answer.status_code == 500
    assert str(tmp_path) not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_readiness_follows_the_champion(school: School, tmp_path: Path) -> None:
    """Without a champion scores and readiness are 503 with what to do; a promotion is served without a restart."""
    shutil.copytree(school.state, tmp_path / "state")
    copy = School(school.site, school.catalogue, tmp_path / "state")
    named = json.loads(champion_file(copy.state, "first_order").read_bytes())
    champion_file(copy.state, "first_order").unlink()
    with TestClient(copy.app()) as client:
        before = [client.get(path).status_code for path in ("/healthz", "/readyz", "/v1/model")]
        refused = client.post("/v1/scores", json={"leads": [{"lead_id": "hot"}]})
        name_champion(copy, target="first_order", version=1, digest=named["bundle_sha256"])
        deadline = time.monotonic() + 30
        while client.get("/readyz").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        after = client.post("/v1/scores", json={"leads": [{"lead_id": "hot"}]})

    assert before == [200, 503, 503]
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert "leadlight promote" in refused.json()["detail"]
    assert after.status_code == 200


def test_as_of_stops_the_clock(school: School, tmp_path: Path) -> None:
    """A server started at a moment asks as of it; else the site's clock counts, here the newest fact."""
    for name in ("history", "feast"):
        shutil.copytree(school.state / name, tmp_path / name)

    def clock(as_of: Micros | None) -> Micros:
        database = open_database(school.site, tmp_path)
        log, journal = Log(database), Journal(partial(keep, database))
        service = Service(
            school.site, school.catalogue, state=tmp_path, log=log, journal=journal, wall=lambda: WALL, as_of=as_of
        )
        return service.door(service.desk).clock

    assert clock(school.clock - HOUR) == school.clock - HOUR
    assert clock(None) == school.clock == NOON + 1
