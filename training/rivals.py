"""Whom a candidate must not be worse than on the same rows: the base rate, a plain logistic model, the champion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from leadlight.model.bundle import Bundle, load_bundle
from leadlight.model.certificate import PUBLIC_KEY, pinned_key, read_certificate
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.settings import SiteError, Target
from leadlight.shelf import bundle_folder, current_champion, keys_folder
from training.dataset import Dataset
from training.gate import Rival
from training.plain import fit_plain
from training.unseen import unseen


def base_rate(learned: Dataset, rows: int) -> FloatArray:
    """What one says of so many rows knowing nothing but how often the outcome happened so far."""
    return np.full(rows, (float(learned.y.sum(dtype=np.int64)) + 0.5) / (len(learned.y) + 1.0))


def logistic_rival(learned: Dataset, rows: pd.DataFrame, *, seed: int) -> Rival:
    """A plain logistic regression fitted on the rows that the candidate learned from."""
    return Rival(fit_plain("logistic", learned.X, learned.y, seed=seed)(rows))


def champion_rival(state: Path, target_name: str, test: Dataset, target: Target) -> tuple[Rival | None, str]:
    """The champion's probabilities of the test rows, and what to say of one that the server would not load either.

    Rows that the champion was fitted on are no test of it and do not count. Those whose outcomes have moved its offset
    since do: one number follows them, which makes the champion look better, and the candidate's task harder, if at all.
    """
    champion = current_champion(state, target_name)
    if champion is None:
        return None, ""
    try:
        bundle = _load(bundle_folder(state, target_name, champion.version), state, champion.bundle_sha256)
    except SiteError as error:
        return None, f"champion {champion.version} counts as none: {'; '.join(error.faults)}"
    who = f"champion {champion.version}"
    left = unseen(test, target, [bundle.manifest.origin.fitted], who=who)
    if left.missing:
        reason = f"{who} cannot be compared: {'; '.join(left.notes)}: train again with rows from later on"
        return Rival(None, reason, needed=left.missing, unit="leads of the rarer outcome"), ""
    try:
        p = sigmoid(bundle.model.margin(test.X))
    except SiteError as error:
        advice = "keep its features in the catalogue until a new champion is promoted"
        return Rival(None, f"{who} cannot be compared: {'; '.join(error.faults)}; {advice}"), ""
    if left.places.all():
        return Rival(p), ""
    return Rival(p, rows=left.places), left.notes[0]


def _load(folder: Path, state: Path, sha256: str) -> Bundle:
    read_certificate(folder, pinned_key(keys_folder(state) / PUBLIC_KEY))
    return load_bundle(folder, expected=sha256)
