"""The gate's signed word on a bundle: without it nothing is served. Only the gate signs, everyone may read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from leadlight.model.manifest import CERTIFICATE, MANIFEST, Origin, canonical, sha256
from leadlight.settings import SiteError, Target

THRESHOLDS = ("precision", "recall", "accuracy", "auc", "average_precision", "lift")
CALIBRATION = "calibration_in_the_large"
PROMOTE = "promote"
PRIVATE_KEY = "gate.key"
PUBLIC_KEY = "gate.pub"


@dataclass(frozen=True)
class Certificate:
    """What the gate found: its verdict on the bundle of that SHA-256, and every rule with its numbers."""

    bundle_sha256: str
    target: str
    verdict: str
    findings: Mapping[str, Any]


def write_certificate(folder: Path, certificate: Certificate, *, key: Ed25519PrivateKey) -> None:
    """Sign the certificate and lay it beside the bundle it names."""
    body = asdict(certificate)
    signature = key.sign(canonical(body)).hex()
    (folder / CERTIFICATE).write_bytes(canonical({"certificate": body, "signature": signature}))


def read_certificate(folder: Path, public_key: Ed25519PublicKey) -> Certificate:
    """The certificate of the bundle in this folder.

    Missing, unreadable, not signed by the gate, about another bundle, or with another verdict than promote: each is a
    ``SiteError``.
    """
    certificate = _signed(folder / CERTIFICATE, public_key)
    manifest = folder / MANIFEST
    found = sha256(manifest.read_bytes()) if manifest.is_file() else "missing"
    faults = []
    if certificate.bundle_sha256 != found:
        faults.append(
            f"{folder}: the certificate names bundle {certificate.bundle_sha256}, here is {found}: train again"
        )
    if certificate.verdict != PROMOTE:
        faults.append(
            f"{folder}: the gate's verdict is {certificate.verdict!r}, only {PROMOTE!r} goes live: train a better model"
        )
    if faults:
        raise SiteError(faults)
    return certificate


def shortfalls(certificate: Certificate, origin: Origin, target_name: str, target: Target) -> list[str]:
    """Where the site asks for something else, or for more, than this certificate proves of its bundle."""
    faults = []
    if certificate.target != target_name:
        faults.append(f"the certificate is about target {certificate.target!r}, not {target_name!r}: train again")
    if origin.question != target.question:
        faults.append(
            f"leadlight.toml now asks another question for {target_name!r} than this version answers: train again"
        )
    proven = {rule["name"]: rule["lower"] for rule in certificate.findings["rules"]}
    for name in THRESHOLDS:
        asked = getattr(target.gate, name)
        if asked is not None and (proven.get(name) is None or proven[name] < asked):
            faults.append(
                f"{name}: leadlight.toml asks for {asked}, this version is proven to {proven.get(name)}: train again"
            )
    return [*faults, *_uncalibrated(certificate, target)]


def _uncalibrated(certificate: Certificate, target: Target) -> Iterator[str]:
    """Where the odds are not proven right within the site's factor; an older certificate proves none."""
    rules = {rule["name"]: rule for rule in certificate.findings["rules"]}
    rule, asked = rules.get(CALIBRATION), target.gate.calibration
    if rule is None and "calibration" not in target.gate.model_fields_set:
        return
    proven = None if rule is None else max(abs(rule["lower"]), abs(rule["upper"]))
    if proven is None or proven > math.log(asked):
        found = "nothing" if proven is None else f"a factor of {math.exp(proven):.2f}"
        wanted = f"leadlight.toml asks for a factor of {asked:g}"
        yield f"calibration: {wanted}, this version is proven to {found}: train again"


def _signed(path: Path, public_key: Ed25519PublicKey) -> Certificate:
    if not path.is_file():
        raise SiteError([f"{path} is missing, so the bundle never passed the gate: train, and let the gate judge"])
    try:
        document = json.loads(path.read_bytes())
        body, signature = document["certificate"], bytes.fromhex(document["signature"])
        public_key.verify(signature, canonical(body))
        return Certificate(**body)
    except (ValueError, KeyError, TypeError, InvalidSignature):
        raise SiteError([f"{path} is not what the gate signed: train again, and let the gate judge"]) from None


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The gate's private key in this folder, made on first use (readable by its owner alone) with its public twin."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / PRIVATE_KEY
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _loaded(path)
    key = Ed25519PrivateKey.generate()
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / PUBLIC_KEY).write_bytes(public)
    return key


def _loaded(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SiteError(
            [f"{path} holds no Ed25519 private key in PEM: restore it, or remove both keys and train again"]
        )
    return key


def pinned_key(path: Path) -> Ed25519PublicKey:
    """The gate's public key, which a server pins; a missing or foreign file is a ``SiteError``."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise SiteError([f"{path} holds no Ed25519 public key in PEM: train once to make it, or restore it"])
    return key
