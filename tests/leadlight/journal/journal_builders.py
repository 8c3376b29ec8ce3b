"""Answers for tests of whoever reads the journal."""

from __future__ import annotations

import json
from typing import Any

from leadlight.journal import Answer

VECTOR = {"pages_7d": 3, "share": 0.1 + 0.2, "tiny": 5e-324, "city": "上海", "budget": None}


def an_answer(answer_id: str, lead_id: str = "ana", **changes: Any) -> Answer:  # noqa: ANN401  # any field of an answer
    """A full answer, changed where a test says so."""
    values: dict[str, Any] = {
        "target": "first_order",
        "asked_at": 1_000,
        "as_of": 900,
        "features_as_of": 800,
        "model_version": "7",
        "bundle_sha256": "b" * 64,
        "source": "http",
        "probability": 1 / 3,
        "raw": -0.6931471805599453,
        "low": 0.1 + 0.2,
        "high": 0.5,
        "grade": "B",
        "flagged": True,
        "vector": json.dumps(VECTOR),
        "reasons": '[{"group": "courses", "points": 0.1}]',
        "shadow_version": "8",
        "shadow_bundle_sha256": "c" * 64,
        "shadow_probability": 2 / 3,
    }
    return Answer(answer_id, lead_id, **{**values, **changes})
