"""The model that serves a target, as whoever relies on its answers may see it."""

from __future__ import annotations

from leadlight.schema import from_micros
from leadlight.settings import Site
from serving.champion import Champion
from serving.schemas_models import ChallengerAnswer, ServingModel

_TOLD_APART = {"rules", "notes"}


def describe(site: Site, champion: Champion, challenger: Champion | None) -> ServingModel:
    """The champion with what the gate signed of it, and the challenger in its shadow."""
    origin, findings = champion.bundle.manifest.origin, champion.certificate.findings
    hashes = {"catalogue": origin.catalogue_hash, "data": origin.data_digest, "question": origin.question}
    vouched = {
        column.name: reason
        for column in champion.columns
        if (reason := site.leaks.get(column.name) or site.leaks.get(column.entry.name))
    }
    return ServingModel(
        target=champion.target,
        version=champion.version,
        bundle_sha256=champion.bundle.sha256,
        rung=champion.bundle.model.rung,
        trained_until=from_micros(origin.trained_until),
        rows=origin.rows,
        positives=origin.positives,
        verdict=champion.certificate.verdict,
        rules=tuple(findings["rules"]),
        notes=tuple(findings.get("notes", ())),
        leaks=vouched,
        hashes=hashes if origin.parent is None else {**hashes, "parent": origin.parent},
        certificate={name: value for name, value in findings.items() if name not in _TOLD_APART},
        challenger=None if challenger is None else _challenger(challenger),
    )


def _challenger(found: Champion) -> ChallengerAnswer:
    trained_until = from_micros(found.bundle.manifest.origin.trained_until)
    return ChallengerAnswer(found.version, found.bundle.sha256, found.bundle.model.rung, trained_until)
