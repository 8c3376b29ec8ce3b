"""The whole way, as a newcomer goes it: from raw files to an explained answer over HTTP, by commands alone."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pandas as pd
import pytest

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo"
SECONDS_TO_START = 120


def leadlight(*words: object) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "leadlight", *map(str, words)], capture_output=True, text=True, check=False, timeout=300
    )


def answer(*words: object) -> dict[str, Any]:
    """The one JSON object of a command that must succeed."""
    done = leadlight(*words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def served(site: Path, state: Path) -> Iterator[httpx2.Client]:
    """A client of a server of its own, started by the command and ended with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "leadlight", "serve", str(site), "--state", str(state), "--port", str(port)]
    with (
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        try:
            _wait(client, server)
            yield client
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait(client: httpx2.Client, server: subprocess.Popen[bytes]) -> None:
    started = time.monotonic()
    while time.monotonic() - started < SECONDS_TO_START:
        assert server.poll() is None, "the server ended by itself"
        try:
            client.get("/healthz").raise_for_status()
        except httpx2.TransportError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the server did not answer in time")


class Demo(NamedTuple):
    """What `leadlight demo` prints, and leaves when it does not serve."""

    printed: str
    state: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, run once."""
    folder = tmp_path_factory.mktemp("journey") / "state"
    done = leadlight("demo", "--no-serve", "--state", folder)
    assert done.returncode == 0, done.stderr
    return Demo(done.stdout + done.stderr, folder)


@pytest.fixture
def state(demo: Demo) -> Path:
    """The state that the demo leaves."""
    return demo.state


def test_the_readme_shows_what_the_demo_prints(demo: Demo) -> None:
    """Every line that it quotes is printed."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = re.search(r"```\n(first_order version 1: .*?)```", readme, flags=re.DOTALL)
    assert quoted is not None

    printed = {line.strip() for line in demo.printed.splitlines()}

    assert "first_order version 1: promote (made data)" in printed
    assert [line for line in quoted[1].splitlines() if line.strip() not in printed] == []


@pytest.fixture
def scores(state: Path) -> pd.DataFrame:
    """Every open lead as the demo scored it in bulk."""
    return pd.read_json(state / "scores.jsonl", lines=True, dtype={"lead_id": str}, precise_float=True)


def test_bulk_scores_equal_http_answers(state: Path, scores: pd.DataFrame) -> None:
    """The same leads over HTTP, at the same clock, have the same bits, grades and reasons."""
    some = [json.loads(line) for line in (state / "scores.jsonl").read_text(encoding="utf-8").splitlines()[::200]]

    with served(DEMO, state) as client:
        asked = {"leads": [{"lead_id": row["lead_id"]} for row in some]}
        found = client.post("/v1/scores", json=asked, headers={"Accept-Language": "en"}).json()["scores"]
        card = client.get(f"/leads/{some[0]['lead_id']}")

    assert [_timeless(row) for row in found] == [_timeless(row) for row in some]
    assert card.status_code == 200
    assert not re.search(r"1\d{10}", card.text), "a whole phone number on the card"
    assert len(scores) > len(some)


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"scored_at", "features_as_of", "answer_id"}}


def test_the_model_recovers_the_truth(state: Path) -> None:
    """On later rows the model ranks nearly as well as the made data's true probabilities, and agrees with them."""
    predictions = state / "predictions.parquet"
    answer("backtest", DEMO, "--state", state, "--predictions", predictions)

    truth = pd.read_parquet(state.with_name("state-made-data") / "truth.parquet")
    rows = pd.read_parquet(predictions).merge(truth, on="lead_id")

    assert len(rows) > 1_000
    assert rows["leadlight"].corr(rows["probability"], method="spearman") > 0.8
    assert abs(rows["leadlight"].mean() - rows["probability"].mean()) < 0.02
    assert ((rows["leadlight"] - rows["probability"]) ** 2).mean() < 0.25 * rows["probability"].var()


def test_a_weak_model_goes_nowhere(tmp_path: Path) -> None:
    """A model under its thresholds is not promoted, and neither a forged verdict nor a forged champion serves it."""
    site, state = _strict_site(tmp_path)
    trained = answer("train", site, "--state", state)
    refused = leadlight("promote", site, "--state", state)
    shelf = state / "bundles" / "first_order"
    verdict = shelf / f"{trained['version']}.verdict.json"
    verdict.write_text(verdict.read_text(encoding="utf-8").replace('"reject"', '"promote"'), encoding="utf-8")
    refused_again = leadlight("promote", site, "--state", state)
    (state / "champion").mkdir(exist_ok=True)
    named = {"version": trained["version"], "bundle_sha256": trained["bundle_sha256"]}
    (state / "champion" / "first_order.json").write_text(json.dumps(named), encoding="utf-8")

    with served(site, state) as client:
        score = client.post("/v1/scores", json={"leads": [{"lead_id": "L000001"}]})
        ready = client.get("/readyz")

    assert trained["verdict"] == "reject"
    assert (refused.returncode, refused_again.returncode) == (1, 1)
    assert "precision" in refused.stderr
    assert (score.status_code, ready.status_code) == (503, 503)
    assert score.headers["content-type"] == "application/problem+json"


def _strict_site(folder: Path) -> tuple[Path, Path]:
    """The demo with fewer leads and a threshold that no honest model reaches."""
    site = folder / "demo"
    shutil.copytree(DEMO, site, ignore=shutil.ignore_patterns("state"))
    settings = site / "leadlight.toml"
    text = settings.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^precision = .*$", "precision = 0.95", text)
    settings.write_text(re.sub(r"(?m)^leads = .*$", "leads = 4000", text), encoding="utf-8")
    return site, folder / "state"
