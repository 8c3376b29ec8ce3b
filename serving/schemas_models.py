"""How the model that serves a target is described over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime, ConfigDict
from pydantic.config import JsonDict

_EXAMPLE: JsonDict = {
    "target": "first_order",
    "version": "7",
    "bundle_sha256": "a3a37b2f75f97ff9f10b79d9bd9ceefe0951e601b7dd9b765c3c1f35dec77ec2",
    "rung": "blend",
    "trained_until": "2025-08-24T00:00:00.000001Z",
    "rows": 6822,
    "positives": 711,
    "verdict": "promote",
    "rules": [
        {
            "name": "precision",
            "state": "pass",
            "value": 0.464,
            "lower": 0.409,
            "upper": 0.52,
            "threshold": 0.3,
            "evidence": "110 of 237 rows, worth 237 independent ones",
        }
    ],
    "notes": [],
    "leaks": {"tag": "set by the advertiser's form, before the lead reaches us"},
    "hashes": {
        "catalogue": "0d5dbb0c9e1a3c54ee5d5f4a2f4e4c5ec2a3a5b3f1e2d3c4b5a69788796a5b4c",
        "data": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "question": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    },
    "certificate": {"alpha": 0.05, "champion": None, "looks": 1},
    "challenger": {
        "version": "9",
        "bundle_sha256": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
        "rung": "blend",
        "trained_until": "2025-09-28T00:00:00.000001Z",
    },
}


@dataclass(frozen=True, slots=True)
class ChallengerAnswer:
    """The model that scores in the champion's shadow; none of its numbers is in an answer."""

    version: str
    bundle_sha256: str
    rung: str
    trained_until: AwareDatetime


@dataclass(frozen=True, slots=True)
class ServingModel:
    """The model that answers for a target, and why it may.

    `rules` are what the gate asked of it, each with its number, bounds and threshold; `notes` what it remarked. `leaks`
    are the features that look like leaks and that the site vouches for, with its reasons. `hashes` name the catalogue,
    the training rows and the question; a `parent` is the bundle that this one was recalibrated from. `certificate` has
    whatever else the gate signed. `rung` is the step of the ladder that the evidence allowed.
    """

    __pydantic_config__ = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    target: str
    version: str
    bundle_sha256: str
    rung: str
    trained_until: AwareDatetime
    rows: int
    positives: int
    verdict: str
    rules: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    leaks: dict[str, str]
    hashes: dict[str, str]
    certificate: dict[str, Any]
    challenger: ChallengerAnswer | None


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """The champion of a target: what the gate found, rule by rule, and the certificate it signed (Ed25519)."""

    target: str
    version: str
    bundle_sha256: str
    verdict: str
    findings: dict[str, Any]
    certificate: dict[str, Any]
