"""A school of a test's own, further versions of its model, and answers that any journal takes."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path

from features.catalogue import load_catalogue
from leadlight.model.bundle import load_bundle, write_bundle
from leadlight.model.certificate import Certificate, signing_key, write_certificate
from leadlight.settings import load_site
from leadlight.shelf import Champion as Named
from leadlight.shelf import bundle_folder, challenger_file, current_champion, keys_folder, write_json
from serving.champion import Champion
from serving.entries import Told
from serving.exploration import Exploration
from tests.serving.serving_builders import SITE, School

TARGET = "first_order"
MOVED = 0.75
"""How far in log-odds the challenger is from the champion."""
EXPLORES = f"{SITE}[targets.first_order.explore]\nshare = 0.5\n"


def copied(school: School, folder: Path, site: str = SITE) -> School:
    """The school in a folder of its own, without its database."""
    shutil.copytree(school.state, folder / "state", ignore=shutil.ignore_patterns("leadlight.db*"))
    (folder / "leadlight.toml").write_text(site, encoding="utf-8")
    shutil.copy(school.site.folder / "catalogue.toml", folder)
    loaded = load_site(folder)
    return School(loaded, load_catalogue(loaded), folder / "state")


def another_version(school: School, version: int, *, by: float, verdict: str = "promote") -> Named:
    """A further version of the champion's model, its offset moved ``by`` so much, with what the gate said of it."""
    champion = current_champion(school.state, TARGET)
    assert champion is not None
    first = load_bundle(bundle_folder(school.state, TARGET, champion.version), expected=champion.bundle_sha256)
    folder = bundle_folder(school.state, TARGET, version)
    digest = write_bundle(
        folder,
        replace(first.model, offset=first.model.offset + by),
        origin=first.manifest.origin,
        cuts=first.cuts,
        rows=first.golden["rows"],
        reference=first.reference,
    )
    rules = [{"name": name, "threshold": 0.2, "lower": 0.9, "state": "pass"} for name in ("precision", "recall")]
    certificate = Certificate(digest, TARGET, verdict, {"rules": rules})
    write_certificate(folder, certificate, key=signing_key(keys_folder(school.state)))
    return Named(version, digest)


def challenge(school: School, version: int = 2, *, by: float = MOVED, verdict: str = "promote") -> Named:
    """Such a version, named as the challenger."""
    named = another_version(school, version, by=by, verdict=verdict)
    write_json(challenger_file(school.state, TARGET), asdict(named))
    return named


def told(champion: Champion) -> Told:
    """Answers of the champion over HTTP, without a challenger."""
    return Told(champion, None, Exploration({}, b"", 0), "http")
