"""Bundles as vandals, bad disks and attackers leave them, where a champion was, and what the server makes of them."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.catalogue import Catalogue
from leadlight.model.certificate import Certificate, signing_key, write_certificate
from leadlight.model.manifest import CERTIFICATE, MANIFEST, canonical, sha256
from leadlight.settings import Site
from leadlight.shelf import bundle_folder, champion_file, current_champion, keys_folder, write_json
from serving.champion import Champions
from serving.problems import Problem

Harm = Callable[[Path, random.Random], None]


class _Executed:
    """What a pickle of an attacker would do when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


@dataclass(frozen=True)
class Attack:
    """What is done to a bundle, and how far the attacker can make the rest agree."""

    name: str
    harm: Harm
    rehash: bool = False
    sign: str | None = None  # with a key of the attacker's own, or with the gate's


def flip(folder: Path, draw: random.Random) -> None:
    """One bit of one file."""
    path = draw.choice(sorted(folder.iterdir()))
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(bytes(content))


def cut(folder: Path, draw: random.Random) -> None:
    """A file that ends too early."""
    path = draw.choice(sorted(folder.iterdir()))
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content))])


def lose(folder: Path, draw: random.Random) -> None:
    """A file that is gone."""
    draw.choice(sorted(folder.iterdir())).unlink()


def add(folder: Path, draw: random.Random) -> None:
    """A file that no manifest names."""
    (folder / f"trees-{draw.randrange(4, 9)}.txt").write_bytes(draw.randbytes(100))


def link(folder: Path, draw: random.Random) -> None:
    """A file that is really another of the machine."""
    path = draw.choice([path for path in sorted(folder.iterdir()) if path.name != MANIFEST])
    path.unlink()
    path.symlink_to(os.devnull)


def pickled(folder: Path, draw: random.Random) -> None:
    """A pickle that acts when it is loaded, in place of a model file."""
    path = draw.choice([path for path in sorted(folder.iterdir()) if path.name not in {MANIFEST, CERTIFICATE}])
    path.write_bytes(pickle.dumps(_Executed(folder.parent / "executed")))


def scramble_trees(folder: Path, draw: random.Random) -> None:
    """A number of LightGBM's text, or of the linear part where there are no trees, that is another."""
    path = draw.choice(sorted(folder.glob("trees-*.txt")) or [folder / "linear.json"])
    content = bytearray(path.read_bytes())
    digits = [place for place, sign in enumerate(content) if 48 <= sign <= 57]
    for place in draw.sample(digits, 3):
        content[place] = draw.randrange(48, 58)
    path.write_bytes(bytes(content))


def scramble_json(folder: Path, draw: random.Random) -> None:
    """A value of a JSON document that is of another kind, or absurd."""
    path = draw.choice([path for path in sorted(folder.glob("*.json")) if path.name not in {MANIFEST, CERTIFICATE}])
    document = json.loads(path.read_bytes())
    name = draw.choice(sorted(document) or ["unknown"])
    document[name] = draw.choice([None, "x", -1, 1e308, [], {}, [[[]]], "9" * 1000])
    path.write_bytes(canonical(document))


ATTACKS = (
    Attack("a bit flipped", flip),
    Attack("a file cut short", cut),
    Attack("a file lost", lose),
    Attack("a file added", add),
    Attack("a link to another file", link),
    Attack("a pickle", pickled),
    Attack("a pickle, hashes made to agree", pickled, rehash=True),
    Attack("trees changed, hashes made to agree", scramble_trees, rehash=True),
    Attack("JSON changed, hashes made to agree", scramble_json, rehash=True),
    Attack("trees changed, signed with a key of their own", scramble_trees, rehash=True, sign="own"),
    Attack("JSON changed, signed with a key of their own", scramble_json, rehash=True, sign="own"),
)
SIGNED = (
    Attack("a pickle, signed with the gate's key", pickled, rehash=True, sign="gate"),
    Attack("trees changed, signed with the gate's key", scramble_trees, rehash=True, sign="gate"),
    Attack("JSON changed, signed with the gate's key", scramble_json, rehash=True, sign="gate"),
)
"""What no signature keeps out: only the first load in a child process does."""


def attacked(attack: Attack, source: Path, folder: Path, keys: Path, draw: random.Random) -> str:
    """Lay the harmed copy of the bundle ``source`` into ``folder``; the hash that its manifest then has."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    attack.harm(folder, draw)
    if attack.rehash:
        _rehash(folder)
    manifest = folder / MANIFEST
    digest = sha256(manifest.read_bytes()) if manifest.is_file() else "0" * 64
    if attack.sign:
        body: dict[str, Any] = json.loads((source / CERTIFICATE).read_bytes())["certificate"]
        key = Ed25519PrivateKey.generate() if attack.sign == "own" else signing_key(keys)
        write_certificate(folder, Certificate(**{**body, "bundle_sha256": digest}), key=key)
    return digest


def _contents(folder: Path) -> dict[str, bytes]:
    """A bundle's files; a certificate may say the same in other letters of its signature's hex."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != CERTIFICATE}


def _rehash(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    for name in manifest["files"]:
        content = (folder / name).read_bytes()
        manifest["files"][name] = {"bytes": len(content), "sha256": sha256(content)}
    (folder / MANIFEST).write_bytes(canonical(manifest))


@dataclass
class Outcome:
    """How many attacks of one kind were refused, answered as before, or got through."""

    tried: int = 0
    refused: int = 0
    harmless: int = 0
    loaded: int = 0


class Target:
    """A site with a champion whose bundle is attacked again and again, and the server's own look at it."""

    def __init__(self, site: Site, catalogue: Catalogue, state: Path, target: str) -> None:
        named = current_champion(state, target)
        assert named is not None
        self._named, self._state, self._target = named, state, target
        self._source = bundle_folder(state, target, named.version)
        self._champions = Champions(site, catalogue, state)
        self._champions.refresh()
        self._champions.get(target)  # it serves before anything happens

    def attack(self, attack: Attack, draw: random.Random, outcome: Outcome) -> None:
        """Let a harmed version be champion and see whether the server takes it.

        Harmless is a bundle that is what it was, or that answers its golden rows to the bit under its own name: a digit
        that no row meets.
        """
        version = self._named.version + 1
        folder = bundle_folder(self._state, self._target, version)
        digest = attacked(attack, self._source, folder, keys_folder(self._state), draw)
        unchanged = _contents(folder) == _contents(self._source)
        path = champion_file(self._state, self._target)
        path.unlink(missing_ok=True)
        self._champions.refresh()
        write_json(path, {"version": version, "bundle_sha256": digest})
        self._champions.refresh()
        outcome.tried += 1
        try:
            served = self._champions.get(self._target)
        except Problem:
            outcome.refused += 1
        else:
            outcome.harmless += unchanged or attack.sign == "gate"
            outcome.loaded += not (unchanged or attack.sign == "gate")
            assert served.version == str(version)
        assert not (folder.parent / "executed").exists(), f"{attack.name}: what it brought was executed"

    def still_serves(self) -> bool:
        """Whether the whole bundle serves again once it is champion."""
        write_json(champion_file(self._state, self._target), asdict(self._named))
        self._champions.refresh()
        return self._champions.get(self._target).bundle.sha256 == self._named.bundle_sha256
