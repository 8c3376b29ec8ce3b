"""What Prometheus reads: which champions serve, how the journal is doing, and what the monitor last left."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response

from serving.access import allowed
from serving.schemas_health import JournalHealth
from serving.service import Service

TEXT = "text/plain; version=0.0.4; charset=utf-8"


def api(service: Service, state: Path) -> APIRouter:
    """The collector's side."""
    router = APIRouter(tags=["health"])

    @router.get("/metrics", include_in_schema=False, dependencies=[allowed("scientist")])
    def metrics() -> Response:
        """Champions, the journal's counters and the newest look at each target, in Prometheus' text format."""
        text = _champions(service.champions.versions()) + _journal(service.journal.health()) + _monitor(state)
        return Response(text, media_type=TEXT)

    return router


def _champions(versions: dict[str, str | None]) -> str:
    samples = [
        f'leadlight_champion_version{{target="{target}"}} {int(version)}\n'
        for target, version in versions.items()
        if version is not None
    ]
    head = (
        "# HELP leadlight_champion_version the version that serves, by target\n"
        "# TYPE leadlight_champion_version gauge\n"
    )
    return head + "".join(samples)


def _journal(health: JournalHealth) -> str:
    """Counters begin anew with the process; ``waiting`` and ``failing`` are as they are now."""
    counted = (
        ("written_total", "counter", "answers written since the start", health.written),
        ("lost_total", "counter", "answers that could not be written", health.lost),
        ("shadow_failed_total", "counter", "answers the challenger could say nothing of", health.shadow_failed),
        ("waiting", "gauge", "answers still to be written", health.waiting),
        ("failing", "gauge", "1 while the database takes none", int(health.failing)),
    )
    lines = []
    for name, kind, words, value in counted:
        metric = f"leadlight_journal_{name}"
        lines += [f"# HELP {metric} {words}", f"# TYPE {metric} {kind}", f"{metric} {value}"]
    return "".join(f"{line}\n" for line in lines)


def _monitor(state: Path) -> str:
    try:
        return (state / "metrics" / "monitor.prom").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
