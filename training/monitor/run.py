"""One run of the monitor: a look, its record, its metrics, its alerts. The same rows leave the same behind, once."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.catalogue import Catalogue
from leadlight.schema import Micros, from_micros
from leadlight.settings import Site
from leadlight.shelf import write_json
from training.monitor.metrics import exposition
from training.monitor.record import Ledger, latest_file, one_run, record_of, runs_folder
from training.monitor.report import lines
from training.monitor.watch import Watch, watch
from training.monitor.webhook import Sender, send
from training.tracking import Record, track

COMMAND = "monitor"


@dataclass(frozen=True, eq=False)
class Monitored:
    """A look and what was done about it; ``new`` unless a run had already left the same record.

    ``skipped`` are records of other targets that could not be read: the metrics are without them.
    """

    look: Watch
    record: Path
    new: bool
    skipped: tuple[str, ...]
    sent: int
    faults: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The look, and where its record is."""
        return {
            **self.look.to_json(),
            "record": str(self.record),
            "new": self.new,
            "skipped": list(self.skipped),
            "alerts": {"sent": self.sent, "faults": list(self.faults)},
        }

    def lines(self) -> list[str]:
        """The same in words."""
        known = "" if self.new else " (nothing has changed since the run that left it)"
        alerts = [f"alerts sent: {self.sent}"] if self.sent else []
        notes = [f"note: {each}" for each in self.skipped]
        return [*lines(self.look), *notes, f"record: {self.record}{known}", *alerts]


def monitor(
    site: Site,
    catalogue: Catalogue,
    target_name: str,
    *,
    state: Path,
    now: Micros,
    end: Micros,
    sender: Sender | None,
) -> Monitored:
    """Look, and leave a record in ``STATE/runs/monitor``, a run in MLflow, ``STATE/metrics/monitor.prom`` and alerts.

    ``now`` is the site's clock, ``end`` where its data end. An alert that could not be sent is a fault of the run, and
    is tried again by the next. Another run at work, or a damaged record of which alerts were sent, is a ``SiteError``
    before anything is left; of other targets a damaged record is only told.
    """
    with one_run(state, COMMAND):
        ledger = None if sender is None else Ledger(runs_folder(state, COMMAND) / f"{target_name}.alerts.json")
        look = watch(site, catalogue, target_name, state=state, now=now, end=end)
        document = look.to_json()
        run = record_of(state, COMMAND, target_name, document, at=now)
        if run.new:
            mlflow_run = _track(site, look, document, state)
            write_json(run.path, {"mlflow_run": mlflow_run, **document})
        write_json(latest_file(state, COMMAND, target_name), document)
        skipped = _write_metrics(state)
        sent, faults = (0, []) if sender is None or ledger is None else _alert(site, look, sender, ledger)
    return Monitored(look, run.path, run.new, tuple(skipped), sent, tuple(faults))


def metrics_file(state: Path) -> Path:
    """Where the metrics of the newest look at each target are."""
    return state / "metrics" / "monitor.prom"


def _track(site: Site, look: Watch, document: dict[str, Any], state: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        write_json(files / "monitor.json", document)
        (files / "monitor.txt").write_text("\n".join(lines(look)) + "\n", encoding="utf-8")
        record = Record(
            name=f"monitor {from_micros(look.now).date().isoformat()}",
            parameters={
                "version": look.version,
                "recent_source": look.recent_source,
                "mature_source": look.mature_source,
            },
            metrics=_metrics(look),
            tags={"bundle_sha256": look.bundle_sha256, "advice": "; ".join(look.advice) or "nothing to do"},
            rows=(),
            files=files,
        )
        return track(site, look.target, record, state=state)


def _metrics(look: Watch) -> dict[str, float | None]:
    found: dict[str, float | None] = {
        "findings": len(look.found),
        "recent_leads": look.recent_leads,
        "mature_leads": look.mature_leads,
        "largest_psi_excess": max((c.effect for c in look.checks if c.kind in {"values", "score"}), default=None),
    }
    if look.calibration is not None:
        found |= look.calibration.to_json()
    if look.performance is not None:
        found |= {f"expected_{name}": metric.value for name, metric in look.performance.metrics.items()}
    for promise in look.promises:
        found |= {f"promised_{promise.grade}": promise.promised, f"observed_{promise.grade}": promise.observed}
    return found


def _write_metrics(state: Path) -> list[str]:
    """Write the metrics of every target's last look; what is said of records that cannot be read and are left out."""
    looks, skipped = [], []
    for path in sorted(runs_folder(state, COMMAND).glob("*.latest.json")):
        try:
            look = json.loads(path.read_bytes())
            exposition([look])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            target_name = path.name.removesuffix(".latest.json")
            words = f"{path} is no record of a look ({type(error).__name__}: {error}), the metrics are without it"
            skipped.append(f"{words}: run `leadlight monitor SITE --target {target_name}` to have it written anew")
        else:
            looks.append(look)
    path = metrics_file(state)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(exposition(looks), encoding="utf-8")
    part.replace(path)
    return skipped


def _alert(site: Site, look: Watch, sender: Sender, ledger: Ledger) -> tuple[int, list[str]]:
    by_id = {found.id(look.bundle_sha256): found for found in look.found}
    sent, faults = 0, []
    for finding_id, alert in ledger.begin(list(by_id), now=look.now).items():
        found = by_id[finding_id]
        message = {
            "type": "leadlight.monitor.finding",
            "timestamp": from_micros(alert.since).isoformat(),
            "data": {
                "site": site.name,
                "target": look.target,
                "version": look.version,
                "bundle_sha256": look.bundle_sha256,
                "finding": finding_id,
                "kind": found.kind,
                "subject": found.subject,
                "words": found.words,
                "p": found.p,
                "effect": found.effect,
                "advice": found.advice,
            },
        }
        fault = send(sender, alert.message_id, message)
        ledger.note(finding_id, fault=fault)
        sent += not fault
        if fault:
            faults.append(f"alert on {found.kind} of {found.subject}: the webhook {fault}; the next run tries again")
    return sent, faults
