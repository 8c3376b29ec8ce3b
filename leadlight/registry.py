"""The versions of a target's model in MLflow, and the one way to make one of them champion. A door to MLflow.

MLflow's alias ``champion`` is the record; the server reads the shelf's champion file alone, and checks the certificate
itself.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.model.certificate import PUBLIC_KEY, Certificate, pinned_key, read_certificate, shortfalls
from leadlight.model.manifest import read_checked
from leadlight.settings import Site, SiteError
from leadlight.shelf import (
    Champion,
    bundle_folder,
    champion_file,
    current_champion,
    keys_folder,
    last_trained,
    verdict_file,
    write_json,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
BUNDLE_TAG = "bundle_sha256"


def promote(site: Site, target_name: str, *, state: Path, version: int | None = None) -> Champion:
    """Make ``version`` (the last trained by default) champion; a ``SiteError`` lists every reason why it may not be.

    It may be if the gate's certificate is genuine, is about this very bundle, and covers today's thresholds.
    """
    from leadlight.model.verify import verify_in_child

    _, target = site.target(target_name)
    if version is None:
        version = last_trained(state, target_name)
    folder = bundle_folder(state, target_name, version)
    refused = _refusals(verdict_file(state, target_name, version), version)
    if refused:
        raise SiteError(refused)
    certificate = read_certificate(folder, pinned_key(keys_folder(state) / PUBLIC_KEY))
    manifest, _ = read_checked(folder, expected=certificate.bundle_sha256)
    wanting = [*shortfalls(certificate, manifest.origin, target_name, target), *_rival(certificate, state, target_name)]
    if wanting:
        raise SiteError(wanting)
    verify_in_child(folder, expected=certificate.bundle_sha256)
    champion = Champion(version, certificate.bundle_sha256)
    _move_alias(model_name(site, target_name), champion, client=mlflow_client(state))
    write_json(champion_file(state, target_name), asdict(champion))
    return champion


def register(site: Site, target_name: str, *, state: Path, run_id: str, bundle_sha256: str) -> int:
    """Give the bundle logged by an MLflow run its version number in the registry."""
    client = mlflow_client(state)
    name = model_name(site, target_name)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    tags = {BUNDLE_TAG: bundle_sha256}
    while True:  # a registry begun anew counts from 1: numbers that the shelf has given are not given again
        made = client.create_model_version(name, source=f"runs:/{run_id}/bundle", run_id=run_id, tags=tags)
        if not bundle_folder(state, target_name, int(made.version)).exists():
            return int(made.version)


def model_name(site: Site, target_name: str) -> str:
    """The registered model, and the experiment, of a site's target."""
    return f"{site.name}-{target_name}"


def mlflow_client(state: Path) -> MlflowClient:
    """MLflow on the state folder's own SQLite file, without its telemetry and its talk of new tables."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    folder = state.absolute() / "mlflow"
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), _alone(folder / "lock"):
        # mlflow 3.17 uses a loader that SQLAlchemy 2.1 deprecates
        warnings.filterwarnings("ignore", "The ``noload`` loader strategy", DeprecationWarning)
        from mlflow import MlflowClient

        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        address = f"sqlite:///{folder / 'mlflow.db'}"
        return MlflowClient(tracking_uri=address, registry_uri=address)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: two that migrate a new SQLite file at once break it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _refusals(verdict_path: Path, version: int) -> list[str]:
    """Why the gate did not let this version pass, rule by rule; nothing if it did."""
    if not verdict_path.is_file():
        return [f"version {version} has no verdict ({verdict_path}): train, and let the gate judge"]
    verdict = json.loads(verdict_path.read_bytes())
    if verdict["verdict"] == "promote":
        return []
    head = f"version {version} may not be promoted, the gate's verdict is {verdict['verdict']}"
    rules = [rule for rule in verdict["rules"] if rule["state"] != "pass"]
    return [head, *(f"{rule['name']}: {rule['state']}: {_numbers(rule)}; {rule['evidence']}" for rule in rules)]


def _numbers(rule: dict[str, float | None]) -> str:
    found = {name: rule[name] for name in ("value", "lower", "upper", "threshold")}
    return ", ".join(f"{name} {number:.4g}" for name, number in found.items() if number is not None)


def _rival(certificate: Certificate, state: Path, target_name: str) -> Iterator[str]:
    """A candidate that was not held against the model that serves now may not take its place."""
    now = current_champion(state, target_name)
    if now is None or now.bundle_sha256 == certificate.bundle_sha256:
        return
    judged = certificate.findings.get("champion")
    if judged != now.bundle_sha256:
        yield f"judged against champion {judged or 'none'}, now it is version {now.version}: train again"


def _move_alias(name: str, champion: Champion, *, client: MlflowClient) -> None:
    from mlflow.exceptions import MlflowException

    try:
        known = client.get_model_version(name, str(champion.version)).tags.get(BUNDLE_TAG)
    except MlflowException as error:
        raise SiteError([f"MLflow does not know version {champion.version} of {name}: {error.message}"]) from error
    if known != champion.bundle_sha256:
        raise SiteError([f"MLflow's version {champion.version} of {name} is bundle {known}, not this one: train again"])
    client.set_registered_model_alias(name, CHAMPION, str(champion.version))
