"""The champion's offset follows the outcomes that came since: a small new version, with a gate and a record of its own.

Nothing is fitted anew but one number. Cuts move by the same log-odds, so the same leads are flagged and graded as
before, and what the parent's certificate proves of precision, recall and ranking holds for the child.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from features.catalogue import Catalogue
from leadlight.model.bundle import Bundle, load_bundle, write_bundle
from leadlight.model.certificate import (
    PUBLIC_KEY,
    Certificate,
    pinned_key,
    read_certificate,
    signing_key,
    write_certificate,
)
from leadlight.model.manifest import MANIFEST, sha256
from leadlight.schema import Micros, from_micros
from leadlight.settings import Site, SiteError
from leadlight.shelf import bundle_folder, keys_folder, named_champion, write_json
from training.as_judged import KEY, AsJudged
from training.calibrate import followed_offset, moved, moved_cuts, moved_interval
from training.dataset import local_days
from training.gate import Signer
from training.keeping import keep
from training.monitor.record import one_run, record_of
from training.monitor.rows import Rows
from training.offset import FEWEST, FEWEST_CONVERTED, MOST, OWN, Move, gate_rules
from training.recalibrated import SHOWN, Recalibrated, recalibrated
from training.tracking import Record

STAYS = 0.005
"""A move of the offset, in log-odds, that is not worth a version."""


def recalibrate(
    site: Site,
    catalogue: Catalogue,
    target_name: str,
    *,
    state: Path,
    now: Micros,
    end: Micros,
    signer: Signer | None = None,
) -> Recalibrated:
    """A new version of the champion whose offset follows the mature labels, certified if its gate says so.

    ``now`` is the clock, ``end`` where the data end. Too few outcomes, a rule not passed, a champion that is not
    genuine: each is a ``SiteError``, and nothing has changed. The same rows give the same version, not another one. A
    record of the run stays in ``STATE/runs/recalibrate``; ``signer`` stands in the certificate alone.
    """
    with one_run(state, "recalibrate"):
        found = _recalibrate(site, catalogue, target_name, state=state, now=now, end=end, signer=signer)
        run = record_of(state, "recalibrate", target_name, found.to_json(), at=now)
        write_json(run.path, found.to_json())
    return found


def _recalibrate(
    site: Site,
    catalogue: Catalogue,
    target_name: str,
    *,
    state: Path,
    now: Micros,
    end: Micros,
    signer: Signer | None,
) -> Recalibrated:
    move = _planned(site, catalogue, target_name, state=state, now=now, end=end)
    if abs(move.shift) < STAYS:
        return recalibrated(move, move.parent, None, ())
    shelf = state / "bundles" / target_name
    with tempfile.TemporaryDirectory(prefix=".recalibration-", dir=shelf) as folder:
        files = Path(folder)
        child = _write(move, files / "bundle")
        rules = gate_rules(move, child, largest=site.monitor.largest_shift)
        refused = [f"{rule['name']}: {rule['state']}: {rule['evidence']}" for rule in rules if rule["state"] != "pass"]
        if refused:
            failed = any(rule["state"] == "fail" for rule in rules)
            why = "train a new model instead" if failed else "too little evidence that following does no harm"
            raise SiteError([f"{target_name}: the offset is not moved, {why}", *refused])
        known = _version_of(shelf, child.sha256)
        if known is not None:
            return recalibrated(move, child, known, rules)
        version = _kept(move, child, rules, site=site, files=files, state=state, end=end, signer=signer)
    return recalibrated(move, child, version, rules)


def _planned(site: Site, catalogue: Catalogue, target_name: str, *, state: Path, now: Micros, end: Micros) -> Move:
    _, target = site.target(target_name)
    champion = named_champion(state, target_name)
    if target.operate.threshold is not None:
        words = "a fixed operate.threshold would flag other leads, whose precision and recall nobody has judged"
        raise SiteError([f"{target_name}: {words}: train again, or give a flag_share instead"])
    folder = bundle_folder(state, target_name, champion.version)
    certificate = read_certificate(folder, pinned_key(keys_folder(state) / PUBLIC_KEY))
    parent = load_bundle(folder, expected=champion.bundle_sha256)
    first = parent.reference.get("calibration")
    if first is None or "score" not in parent.reference or KEY not in certificate.findings:
        raise SiteError(
            [f"version {champion.version} does not say how sure its offset was, or how it was judged: train again"]
        )
    trained = parent.manifest.origin.trained_until
    rows = Rows(site, catalogue, parent, state, after=trained, now=now, end=end).mature(trained, most=MOST)
    converted = int(rows.label.sum(dtype=np.int64))
    others = len(rows.label) - converted
    if len(rows.label) < FEWEST or min(converted, others) < FEWEST_CONVERTED:
        seen = f"{len(rows.label)} leads of known outcome since training ({rows.source}), {converted} converted"
        needed = f"at least {FEWEST} with {FEWEST_CONVERTED} of either outcome are needed"
        raise SiteError([f"{target_name}: too little evidence to move the offset: {seen}; {needed}: wait for outcomes"])
    before = rows.margin - parent.model.offset
    offset, error = followed_offset(before, rows.label, first=first["offset"], first_error=first["error"])
    day = local_days(rows.as_of, site.offset)
    return Move(champion, certificate, parent, rows, day, before, offset, error)


def _write(move: Move, folder: Path) -> Bundle:
    """The parent with another offset, and what moves with it: cuts, interval, the reference of scores."""
    parent, shift, first = move.parent, move.shift, move.parent.reference["calibration"]
    interval = moved_interval(parent.model.interval, shift, error=move.error, allowed=first.get("interval_error", 0.0))
    model = replace(parent.model, offset=move.offset, interval=interval)
    scores = parent.reference["score"]
    reference = {
        **parent.reference,
        "probability": [moved(p, shift) for p in parent.reference["probability"]],
        "score": {**scores, "deciles": [moved(p, shift) for p in scores["deciles"]]},
        "calibration": {**first, "interval_error": move.error},
    }
    written = write_bundle(
        folder,
        model,
        origin=parent.manifest.origin.moved(parent.sha256, until=int(move.rows.as_of.max())),
        cuts=moved_cuts(parent.cuts, shift),
        rows={name: values[:-2] for name, values in parent.golden["rows"].items()},  # the last two are made anew
        reference=reference,
    )
    return load_bundle(folder, expected=written)


def _kept(
    move: Move,
    child: Bundle,
    rules: tuple[dict[str, Any], ...],
    *,
    site: Site,
    files: Path,
    state: Path,
    end: Micros,
    signer: Signer | None,
) -> int:
    """Certificate, verdict, MLflow's run and version, and its place on the shelf."""
    verdict = _certified(move, child, rules, files=files, state=state, end=end, signer=signer)
    version, _ = keep(
        site,
        child,
        verdict,
        _record(move, child, verdict, files=files, end=end),
        description=(
            f"version {move.champion.version}, offset moved by {move.shift:+.3f} after {len(move.rows.label)} leads"
        ),
        state=state,
    )
    return version


def _certified(
    move: Move,
    child: Bundle,
    rules: tuple[dict[str, Any], ...],
    *,
    files: Path,
    state: Path,
    end: Micros,
    signer: Signer | None,
) -> dict[str, Any]:
    """Lay the certificate beside the child; the verdict that it signs, with what moved the offset."""
    of_parent = {name: found for name, found in move.certificate.findings.items() if name not in {"by", "at"}}
    findings = {
        **of_parent,
        "rules": [*_carried(move.certificate), *rules],
        KEY: AsJudged.read(of_parent[KEY]).followed(move.error).to_json(),
        "champion": move.parent.sha256,
        "parent": move.parent.sha256,
        "data_end": end,
        "hashes": {**of_parent.get("hashes", {}), "bundle": child.sha256},
    }
    signed = {} if signer is None else signer.to_json()
    certificate = replace(move.certificate, bundle_sha256=child.sha256, findings={**findings, **signed})
    write_certificate(files / "bundle", certificate, key=signing_key(keys_folder(state)))
    moved_by = recalibrated(move, child, None, rules).to_json()
    return {
        "target": move.parent.manifest.origin.target,
        "bundle_sha256": child.sha256,
        "verdict": certificate.verdict,
        **findings,
        "recalibration": {name: value for name, value in moved_by.items() if name in SHOWN},
    }


def _record(move: Move, child: Bundle, verdict: Mapping[str, Any], *, files: Path, end: Micros) -> Record:
    moved_by = verdict["recalibration"]
    before, after = moved_by["log_loss_in_sample"]
    return Record(
        name=f"recalibrate {from_micros(end).date().isoformat()}",
        parameters={"parent_version": move.champion.version, "parent": move.parent.sha256, "source": move.rows.source},
        metrics={
            "offset": move.offset,
            "offset_before": move.parent.model.offset,
            "offset_error": move.error,
            "mature_leads": moved_by["leads"],
            "mature_converted": moved_by["converted"],
            "log_loss_in_sample": after,
            "log_loss_in_sample_before": before,
        },
        tags={"verdict": verdict["verdict"], "bundle_sha256": child.sha256, "parent": move.parent.sha256},
        rows=(),
        files=files,
    )


def _carried(certificate: Certificate) -> Iterator[dict[str, Any]]:
    """The parent's rules but those of its own recalibration, each said to be the parent's."""
    said = "; proven of the model before its offset moved"
    for rule in certificate.findings["rules"]:
        if not rule["name"].startswith(OWN):
            yield {**rule, "evidence": rule["evidence"].removesuffix(said) + said}


def _version_of(shelf: Path, bundle_sha256: str) -> int | None:
    """The version that already is this bundle."""
    for folder in sorted(shelf.iterdir()):
        manifest = folder / MANIFEST
        if folder.name.isdigit() and manifest.is_file() and sha256(manifest.read_bytes()) == bundle_sha256:
            return int(folder.name)
    return None
