"""What Prometheus reads."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi.testclient import TestClient

from tests.serving.serving_builders import School, build_school, certify_champion

SAMPLE = re.compile(r'^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+$')


def test_the_server_tells_of_champions_journal_and_the_last_look(tmp_path: Path) -> None:
    """Before a look there are the server's own numbers; the file that the monitor leaves is told as it is."""
    school: School = build_school(tmp_path / "school")
    certify_champion(school)
    with TestClient(school.app()) as client:
        before = client.get("/metrics")
        left = 'leadlight_monitor_findings{target="first_order",version="1",kind="values"} 2.0\n'
        (school.state / "metrics").mkdir()
        (school.state / "metrics" / "monitor.prom").write_text(left, encoding="utf-8")
        after = client.get("/metrics")

    assert before.status_code == after.status_code == 200
    assert before.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert after.text == before.text + left
    assert "leadlight_journal_lost_total 0\n" in before.text
    assert 'leadlight_champion_version{target="first_order"} 1\n' in after.text
    assert all(line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.match(line) for line in after.text.splitlines())
