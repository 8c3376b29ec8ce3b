"""The card in a real browser: what is seen, what is asked of the network, and how it prints."""

from __future__ import annotations

import html
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)")
LAPTOP = "1366,768"
LOADED_BY_PAGES = "101845102"
"""Chromium's annotation of what a page loads (blink_resource_loader); the browser's own errands carry others."""
MEASURE = """
<script>
addEventListener("load", () => {
  const bottom = document.querySelector(".columns").getBoundingClientRect().bottom;
  const frame = document.querySelector("iframe");
  const wide = frame ? frame.contentDocument.documentElement.scrollWidth : document.documentElement.scrollWidth;
  document.documentElement.dataset.measured = JSON.stringify({bottom, wide});
});
</script>
"""


@dataclass
class Served:
    """A running server and the paths it was asked for."""

    address: str
    paths: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def served(app: FastAPI) -> Iterator[Served]:
    """The school's server on a port of its own."""
    paths: list[str] = []

    async def recording(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            paths.append(scope["path"])
        await app(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(recording, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", paths)
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


def browse(address: str, folder: Path, *options: str) -> str:
    """What Chromium prints of a page, opened with a profile of its own and no way to any other machine."""
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        f"--user-data-dir={folder / 'profile'}",
        *options,
        address,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def loads(log: Path) -> list[str]:
    """What the page in this log asked the network for beside itself."""
    pattern = rf'"traffic_annotation":{LOADED_BY_PAGES},"url":"([^"]+)"'
    return re.findall(pattern, log.read_text(encoding="utf-8"))


def measured(page: str, folder: Path, size: str) -> dict[str, float]:
    """Where the second row of a page ends and how wide it is, in pixels of a window of this size."""
    file = folder / "measured.html"
    file.write_text(page + MEASURE, encoding="utf-8")
    found = re.search(r'data-measured="([^"]*)"', browse(file.as_uri(), folder, f"--window-size={size}", "--dump-dom"))
    assert found is not None
    return dict(json.loads(html.unescape(found[1])))


@pytest.mark.parametrize(("language", "word"), [("en", "Why"), ("zh", "为什么")])
def test_the_card_is_seen_and_asks_for_nothing_else(served: Served, tmp_path: Path, language: str, word: str) -> None:
    """The browser shows the words, and the only request it makes is the one for the card."""
    served.paths.clear()
    log = tmp_path / "net.json"

    shown = browse(f"{served.address}/leads/hot?lang={language}", tmp_path, "--dump-dom", f"--log-net-log={log}")

    assert f'id="why">{word}</h2>' in shown
    assert served.paths == ["/leads/hot"]
    assert loads(log) == []


def test_a_page_that_loads_from_elsewhere_would_be_noticed(tmp_path: Path) -> None:
    """The browser's log names what a page loads, so that an empty one means something."""
    page, log = tmp_path / "page.html", tmp_path / "net.json"
    page.write_text('<img src="http://example.org/a.png">', encoding="utf-8")

    browse(page.as_uri(), tmp_path, "--dump-dom", f"--log-net-log={log}")

    assert loads(log) == ["http://example.org/a.png"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_first_two_rows_fit_a_laptop(served: Served, tmp_path: Path, language: str) -> None:
    """Head, grade, reasons and the last events are seen at 1366 x 768 without scrolling; the picture is not blank."""
    address = f"{served.address}/leads/hot?lang={language}"
    picture = tmp_path / "card.png"

    size = measured(browse(address, tmp_path, "--dump-dom"), tmp_path, LAPTOP)
    browse(address, tmp_path, f"--window-size={LAPTOP}", f"--screenshot={picture}")

    assert size["bottom"] <= 768
    assert size["wide"] <= 1366
    assert picture.stat().st_size > 30_000


def test_the_card_fits_a_phone(served: Served, tmp_path: Path) -> None:
    """At 360 pixels nothing is cut off at the side."""
    page = html.escape(browse(f"{served.address}/leads/hot?lang=en", tmp_path, "--dump-dom"))
    frame = f'<p class="columns"></p><iframe width="360" height="700" srcdoc="{page}"></iframe>'

    assert measured(frame, tmp_path, LAPTOP)["wide"] <= 360


def test_the_card_prints_on_one_page(served: Served, tmp_path: Path) -> None:
    """Paper has room for the whole card."""
    sheet = tmp_path / "card.pdf"

    browse(f"{served.address}/leads/hot?lang=en", tmp_path, f"--print-to-pdf={sheet}")

    assert len(re.findall(rb"/Type\s*/Page\b", sheet.read_bytes())) == 1


def test_markup_in_the_facts_does_nothing(served: Served, tmp_path: Path) -> None:
    """A script hidden in an attribute is seen as text by the browser."""
    shown = browse(f"{served.address}/leads/a%2Fb%20%3Ci%3E?lang=en", tmp_path, "--dump-dom")

    assert '&lt;script&gt;alert("1")&lt;/script&gt;' in shown
    assert "<script" not in shown
