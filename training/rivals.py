"""Whom a candidate must not be worse than on the same rows: the base rate, a plain logistic model, the champion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from leadlight.model.bundle import load_bundle
from leadlight.model.certificate import PUBLIC_KEY, pinned_key, read_certificate
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.settings import SiteError
from leadlight.shelf import bundle_folder, current_champion, keys_folder
from training.dataset import Dataset
from training.gate import Rival
from training.plain import fit_plain


def base_rate(learned: Dataset, rows: int) -> FloatArray:
    """What one says of so many rows knowing nothing but how often the outcome happened so far."""
    return np.full(rows, (float(learned.y.sum(dtype=np.int64)) + 0.5) / (len(learned.y) + 1.0))


def logistic_rival(learned: Dataset, rows: pd.DataFrame, *, seed: int) -> Rival:
    """A plain logistic regression fitted on the rows that the candidate learned from."""
    return Rival(fit_plain("logistic", learned.X, learned.y, seed=seed)(rows))


def champion_rival(state: Path, target_name: str, rows: pd.DataFrame) -> tuple[Rival | None, str]:
    """The champion's probabilities of these rows, and what to say of one that the server would not load either."""
    champion = current_champion(state, target_name)
    if champion is None:
        return None, ""
    try:
        score = _load(bundle_folder(state, target_name, champion.version), state, champion.bundle_sha256)
    except SiteError as error:
        return None, f"champion {champion.version} counts as none: {'; '.join(error.faults)}"
    try:
        return Rival(score(rows)), ""
    except SiteError as error:
        advice = "keep its features in the catalogue until a new champion is promoted"
        return Rival(None, f"champion {champion.version} cannot be compared: {'; '.join(error.faults)}; {advice}"), ""


def _load(folder: Path, state: Path, sha256: str) -> Callable[[pd.DataFrame], FloatArray]:
    read_certificate(folder, pinned_key(keys_folder(state) / PUBLIC_KEY))
    model = load_bundle(folder, expected=sha256).model
    return lambda rows: sigmoid(model.margin(rows))
