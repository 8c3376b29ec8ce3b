"""A model's folder: data files only, written once, read back to the same bits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leadlight.grading import Cuts
from leadlight.model.blended import Model, Scores
from leadlight.model.encoder import Columns, Encoder
from leadlight.model.interval import Interval
from leadlight.model.linear import LinearPart
from leadlight.model.manifest import MANIFEST, Manifest, Origin, canonical, read_checked, sha256
from leadlight.model.points import PointsPart
from leadlight.model.trees import TreePart
from leadlight.settings import SiteError

LINEAR, POINTS = "linear.json", "points.json"
GOLDEN_ROWS = 30
EXTREME = 1e12
NO_LEVEL = "a level that no row has"


@dataclass(frozen=True, eq=False)
class Bundle:
    """All that one version of a model consists of; ``sha256`` is its name."""

    sha256: str
    manifest: Manifest
    model: Model
    cuts: Cuts
    golden: Mapping[str, Any]
    reference: Mapping[str, Any]


def write_bundle(
    folder: Path, model: Model, *, origin: Origin, cuts: Cuts, rows: Columns, reference: Mapping[str, object]
) -> str:
    """Write the bundle into a new folder and return its SHA-256.

    ``rows`` are training rows: golden ones are drawn from them. ``reference`` is a JSON document about them.
    """
    texts = {f"trees-{place}.txt": text.encode() for place, text in enumerate(model.trees.texts, start=1)}
    documents = {
        "blend.json": {
            "interval": model.interval.to_json(),
            "offset": model.offset,
            "rung": model.rung,
            "weight": model.weight,
        },
        "cuts.json": cuts.to_json(),
        "encoder.json": {**model.encoder.to_json(), "groups": list(model.groups)},
        "golden.json": _golden(model, rows),
        POINTS if isinstance(model.linear, PointsPart) else LINEAR: model.linear.to_json(),
        "reference.json": reference,
    }
    contents = texts | {name: canonical(document) for name, document in documents.items()}
    manifest = Manifest(
        origin=origin,
        columns=model.encoder.columns,
        trees=len(texts),
        files={name: (len(content), sha256(content)) for name, content in contents.items()},
    )
    if folder.exists():
        raise SiteError([f"{folder} exists, and a bundle is written only once: give a new folder"])
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_bytes(manifest.to_bytes())  # last: without it a folder is no bundle
    return sha256(manifest.to_bytes())


def load_bundle(folder: Path, *, expected: str) -> Bundle:
    """The bundle of that SHA-256; anything missing, unknown or altered in its folder is a ``SiteError``.

    A text that is not LightGBM's can kill the process: load a bundle for the first time through ``verify_in_child``.
    """
    manifest, contents = read_checked(folder, expected=expected)
    documents = {name: json.loads(content) for name, content in contents.items() if name.endswith(".json")}
    texts = tuple(contents[f"trees-{place + 1}.txt"].decode() for place in range(manifest.trees))
    blend, encoder = documents["blend.json"], documents["encoder.json"]
    model = Model(
        encoder=Encoder.from_json(encoder),
        groups=tuple(encoder["groups"]),
        linear=_linear(documents),
        trees=TreePart.of(texts, columns=len(manifest.columns)),
        weight=blend["weight"],
        offset=blend["offset"],
        interval=Interval.from_json(blend["interval"]),
    )
    return Bundle(
        sha256=expected,
        manifest=manifest,
        model=model,
        cuts=Cuts.from_json(documents["cuts.json"]),
        golden=documents["golden.json"],
        reference=documents["reference.json"],
    )


def _linear(documents: Mapping[str, dict[str, Any]]) -> LinearPart | PointsPart:
    points = documents.get(POINTS)
    return LinearPart.from_json(documents[LINEAR]) if points is None else PointsPart.from_json(points)


def check_golden(bundle: Bundle) -> None:
    """Score the golden rows again; any bit that differs from when the bundle was written is a ``SiteError``."""
    answers = _answers(bundle.model.score(bundle.golden["rows"]))
    faults = [
        f"bundle {bundle.sha256}: {name} of the golden rows differ from when it was written: train on this machine"
        for name, values in answers.items()
        if np.array(values).tobytes() != np.array(bundle.golden[name]).tobytes()
    ]
    if faults:
        raise SiteError(faults)


def _golden(model: Model, rows: Columns) -> dict[str, Any]:
    """Rows spread over the given ones, one without any value and one beyond all of them, with their answers."""
    chosen: dict[str, list[object]] = {}
    for name in model.encoder.columns:
        values = list(rows[name])
        places = np.unique(np.linspace(0, len(values) - 1, GOLDEN_ROWS).astype(np.intp))
        beyond = NO_LEVEL if name in model.encoder.levels else EXTREME
        chosen[name] = [*(_plain(values[place]) for place in places), None, beyond]
    return {"rows": chosen, **_answers(model.score(chosen))}


def _answers(scores: Scores) -> dict[str, list[Any]]:
    return {"contributions": scores.contributions.tolist(), "raw": scores.raw.tolist()}


def _plain(value: Any) -> str | float | None:  # noqa: ANN401  # a cell of a frame
    if isinstance(value, str):
        return value
    return None if value is None or np.isnan(value) else float(value)
