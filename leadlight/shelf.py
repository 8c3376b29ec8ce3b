"""The shelf: where versions, verdicts, keys and the champion lie in a state folder. Knows no model.

A version's bundle is ``STATE/bundles/TARGET/VERSION/``, its verdict and its model card lie beside it;
``STATE/champion/TARGET.json`` names the version that serves.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from leadlight.settings import SiteError


@dataclass(frozen=True)
class Champion:
    """A version that serves, or that scores in the shadow of the one that does."""

    version: int
    bundle_sha256: str


def current_champion(state: Path, target_name: str) -> Champion | None:
    """The champion that ``STATE/champion/TARGET.json`` names, if there is one."""
    return _named(champion_file(state, target_name))


def named_champion(state: Path, target_name: str) -> Champion:
    """The same, where there has to be one: none is a ``SiteError`` that says what to do."""
    named = current_champion(state, target_name)
    if named is None:
        commands = f"`leadlight train SITE --target {target_name}`, then `leadlight promote`"
        raise SiteError([f"target {target_name!r} has no champion: train and promote one first ({commands})"])
    return named


def current_challenger(state: Path, target_name: str) -> Champion | None:
    """The version that ``STATE/challenger/TARGET.json`` names to score in the champion's shadow, if there is one."""
    return _named(challenger_file(state, target_name))


def _named(path: Path) -> Champion | None:
    try:
        return Champion(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise SiteError([f"{path} does not name a version ({error}): remove it and promote one again"]) from error


def last_trained(state: Path, target_name: str) -> int:
    """The highest version of a target; none at all is a ``SiteError``."""
    found = [int(path.name) for path in (state / "bundles" / target_name).glob("*") if path.name.isdigit()]
    if not found:
        raise SiteError(
            [f"target {target_name!r} has no version yet: run `leadlight train SITE --target {target_name}`"]
        )
    return max(found)


def bundle_folder(state: Path, target_name: str, version: int) -> Path:
    """Where a version's bundle and certificate are."""
    return state / "bundles" / target_name / str(version)


def verdict_file(state: Path, target_name: str, version: int) -> Path:
    """Where the gate's verdict on a version is: beside the bundle, which holds nothing but what its manifest names."""
    return state / "bundles" / target_name / f"{version}.verdict.json"


def shelve(files: Path, state: Path, target_name: str, version: int) -> None:
    """Put a version in its place: ``bundle/``, ``verdict.json``, ``card.md`` and ``card.html`` of the folder ``files``.

    The bundle comes last, so that what is there is whole.
    """
    verdict = verdict_file(state, target_name, version)
    (files / "verdict.json").replace(verdict)
    for page in ("card.md", "card.html"):
        (files / page).replace(verdict.with_name(f"{version}.{page}"))
    (files / "bundle").rename(bundle_folder(state, target_name, version))


def champion_file(state: Path, target_name: str) -> Path:
    """The file that names a target's champion; it changes in one step."""
    return state / "champion" / f"{target_name}.json"


def challenger_file(state: Path, target_name: str) -> Path:
    """The file that names a target's challenger; it changes in one step."""
    return state / "challenger" / f"{target_name}.json"


def keys_folder(state: Path) -> Path:
    """Where the gate's keys are on the embedded default."""
    return state / "keys"


def write_json(path: Path, document: object) -> None:
    """Write ``document`` as ``write_whole`` does."""
    write_whole(path, json.dumps(document, indent=2, allow_nan=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
