"""The gate's signature under a verdict: on which rows, with which code, by whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.model.certificate import Certificate, signing_key, write_certificate
from leadlight.schema import Micros, from_micros
from leadlight.shelf import keys_folder
from training.as_judged import KEY, AsJudged
from training.gate.verdict import PROMOTE, Verdict


@dataclass(frozen=True)
class Signer:
    """Who asked for the verdict, and when by the wall clock."""

    by: str
    at: Micros

    def to_json(self) -> dict[str, str]:
        """As a certificate has it."""
        return {"by": self.by, "at": from_micros(self.at).isoformat()}


@dataclass(frozen=True)
class Provenance:
    """SHA-256 of what the verdict rests on: the rows learned from and judged by, the code and the catalogue."""

    learned: str
    test: str
    code: str
    catalogue: str


def certify(
    verdict: Verdict,
    *,
    bundle: Path,
    bundle_sha256: str,
    target_name: str,
    state: Path,
    provenance: Provenance | None = None,
    as_judged: AsJudged | None = None,
    signer: Signer | None = None,
) -> bool:
    """Lay the signed certificate beside a bundle that may be promoted; any other verdict leaves none.

    Without ``as_judged`` the champion cannot be watched: nobody vouches for what it was.
    """
    if verdict.verdict != PROMOTE:
        return False
    watched = {} if as_judged is None else {KEY: as_judged.to_json()}
    findings = {**verdict.to_json(), **watched, **_origin(bundle_sha256, provenance, signer)}
    certificate = Certificate(bundle_sha256, target_name, verdict.verdict, findings)
    write_certificate(bundle, certificate, key=signing_key(keys_folder(state)))
    return True


def _origin(bundle_sha256: str, provenance: Provenance | None, signer: Signer | None) -> dict[str, Any]:
    hashes = {"bundle": bundle_sha256}
    if provenance is not None:
        hashes |= {
            "data_learned": provenance.learned,
            "data_test": provenance.test,
            "code": provenance.code,
            "catalogue": provenance.catalogue,
        }
    signed = {} if signer is None else signer.to_json()
    return {"hashes": hashes, **signed}
