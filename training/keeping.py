"""A judged bundle becomes a version: its run and its number in MLflow, its model card, its place on the shelf."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leadlight.model.bundle import Bundle
from leadlight.registry import register
from leadlight.settings import Site
from leadlight.shelf import shelve, write_json
from training.card import make_card
from training.tracking import Record, attach, track


def keep(
    site: Site, bundle: Bundle, verdict: Mapping[str, Any], record: Record, *, description: str, state: Path
) -> tuple[int, str]:
    """The new version and its run; ``record.files`` holds the bundle, with its certificate if it has one."""
    target_name, files = bundle.manifest.origin.target, record.files
    write_json(files / "verdict.json", verdict)
    run_id = track(site, target_name, record, state=state)
    version = register(
        site, target_name, state=state, run_id=run_id, bundle_sha256=bundle.sha256, description=description
    )
    card = make_card(site, bundle, dict(verdict), version=version).write(files, "card")
    attach(site, run_id, card, state=state)
    shelve(files, state, target_name, version)
    return version, run_id
