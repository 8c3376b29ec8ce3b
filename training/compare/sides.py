"""Both models of a comparison, and the rows that neither of them learned from or was moved by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from features.catalogue import Catalogue
from leadlight.model.blended import Scores
from leadlight.model.bundle import Bundle, load_bundle
from leadlight.model.verify import verify_in_child
from leadlight.settings import Site, SiteError
from leadlight.shelf import bundle_folder, verdict_file
from training.dataset import TEST, Dataset, load, local_days
from training.evaluate import Scored
from training.unseen import Unseen, unseen


@dataclass(frozen=True, eq=False)
class Side:
    """One version and what it says of the rows; flagged at its own frozen threshold."""

    version: int
    bundle: Bundle
    scores: Scores
    scored: Scored


def open_sides(
    site: Site, catalogue: Catalogue, target_name: str, versions: tuple[int, int], *, state: Path
) -> tuple[Unseen, Side, Side]:
    """The rows and both sides; see ``training.compare.compare`` for what is refused."""
    missing = [each for each in versions if not verdict_file(state, target_name, each).is_file()]
    if missing:
        raise SiteError([f"target {target_name!r} has no version {each}: see `leadlight history`" for each in missing])
    if versions[0] == versions[1]:
        raise SiteError([f"version {versions[0]} was given twice: a comparison needs two versions"])
    _, target = site.target(target_name)
    bundles = [_bundle(state, target_name, version) for version in versions]
    test = load(site, catalogue, target_name, state=state).part(TEST)
    left = unseen(test, target, [bundle.manifest.origin for bundle in bundles], who="one of the versions")
    if not left.places.any():
        advice = "build with newer data, or train anew"
        raise SiteError(
            [f"no test row lies after what both versions learned from or were moved by: {advice}", *left.notes[:1]]
        )
    first, second = (_side(left.rows, *each, site) for each in zip(versions, bundles, strict=True))
    return left, first, second


def _bundle(state: Path, target_name: str, version: int) -> Bundle:
    folder = bundle_folder(state, target_name, version)
    sha256 = json.loads(verdict_file(state, target_name, version).read_bytes())["bundle_sha256"]
    verify_in_child(folder, expected=sha256)
    return load_bundle(folder, expected=sha256)


def _side(test: Dataset, version: int, bundle: Bundle, site: Site) -> Side:
    scores = bundle.model.score(test.X)
    days = local_days(test.as_of, site.offset)
    scored = Scored.of(test.lead_id, test.y, scores.probability, threshold=bundle.cuts.threshold, day=days)
    return Side(version, bundle, scores, scored)
