"""MLflow as the record of runs and versions: the only module that opens it. A door to MLflow."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadlight.locking import alone
from leadlight.settings import Site, SiteError
from leadlight.settings.stores import resolved
from leadlight.shelf import Champion, bundle_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
BUNDLE_TAG: Final = "bundle_sha256"
DEADLINE: Final = 10
"""Seconds for an answer of a tracking server, and for a connection to its database."""
PATIENCE: Final = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(DEADLINE),
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # a server may ask for any time
}
"""MLflow's own settings where the environment gives none: with its defaults, 120 s and 7 retries, it hangs minutes."""


def model_name(site: Site, target_name: str) -> str:
    """The registered model, and the experiment, of a site's target."""
    return f"{site.name}-{target_name}"


def mlflow_client(site: Site, state: Path) -> MlflowClient:
    """MLflow where ``[stores] tracking`` says, without its telemetry and its talk of new tables.

    One that is away is given up after half a minute, unless the environment gives it longer.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    folder = mlflow_folder(state)
    # two processes that migrate a new SQLite file at once break it
    with warnings.catch_warnings(), alone(folder / "lock"), reached():
        # mlflow 3.17 uses a loader that SQLAlchemy 2.1 deprecates
        warnings.filterwarnings("ignore", "The ``noload`` loader strategy", DeprecationWarning)
        from mlflow import MlflowClient

        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        address = _address(site, folder)
        _check_answers(address)
        return MlflowClient(tracking_uri=address, registry_uri=address)


@contextmanager
def reached() -> Iterator[None]:
    """What MLflow cannot do within, because it is away, read-only or damaged, is a ``SiteError``."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import DBAPIError  # of MLflow's own database, which it lets through

    try:
        yield
    except (MlflowException, DBAPIError) as error:
        words = " ".join(str(error).split("\n[SQL", maxsplit=1)[0].split())
        raise SiteError([f"MLflow did not do its part, see [stores] tracking and STATE/mlflow: {words}"]) from error


def mlflow_folder(state: Path) -> Path:
    """Where the embedded MLflow keeps its records and files."""
    return state.absolute() / "mlflow"


def artifacts_of(site: Site, state: Path, name: str) -> str | None:
    """Where the files of a new experiment lie: in the state folder, or where a tracking server puts them."""
    if resolved(site.stores.tracking).startswith("http"):
        return None
    return (mlflow_folder(state) / "artifacts" / name).as_uri()


def register(
    site: Site, target_name: str, *, state: Path, run_id: str, bundle_sha256: str, description: str = ""
) -> int:
    """Give the bundle logged by an MLflow run its version number in the registry."""
    client = mlflow_client(site, state)
    name = model_name(site, target_name)
    tags = {BUNDLE_TAG: bundle_sha256}
    with reached():
        if not client.search_registered_models(f"name = '{name}'"):
            _, target = site.target(target_name)
            words = f"{site.site.title.en}: {target.en or target_name}{' (made data)' if site.site.made else ''}"
            client.create_registered_model(name, description=words)
        while True:  # a registry begun anew counts from 1: numbers that the shelf has given are not given again
            made = client.create_model_version(
                name, source=f"runs:/{run_id}/bundle", run_id=run_id, tags=tags, description=description or None
            )
            if not bundle_folder(state, target_name, int(made.version)).exists():
                return int(made.version)


def check_known(site: Site, target_name: str, named: Champion, *, state: Path) -> None:
    """``SiteError`` unless the registry has this version, of this very bundle."""
    from mlflow.exceptions import MlflowException

    name = model_name(site, target_name)
    client = mlflow_client(site, state)
    with reached():
        try:
            found = client.get_model_version(name, str(named.version))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise SiteError([f"MLflow does not know version {named.version} of {name}: {error.message}"]) from error
    known = found.tags.get(BUNDLE_TAG)
    if known != named.bundle_sha256:
        raise SiteError([f"MLflow's version {named.version} of {name} is bundle {known}, not this one: train again"])


def move_alias(site: Site, target_name: str, alias: str, version: int, *, state: Path) -> None:
    """Let ``alias`` name this version in the registry."""
    client = mlflow_client(site, state)
    with reached():
        client.set_registered_model_alias(model_name(site, target_name), alias, str(version))


def drop_alias(site: Site, target_name: str, alias: str, *, state: Path) -> None:
    """Let ``alias`` name no version."""
    client = mlflow_client(site, state)
    with reached():
        client.delete_registered_model_alias(model_name(site, target_name), alias)


def _check_answers(address: str) -> None:
    """A database that is away is told of at once: MLflow would try it ten times, for two minutes and longer."""
    if not address.startswith("postgresql"):
        return
    from sqlalchemy import create_engine, make_url

    given = "connect_timeout" in make_url(address).query or "PGCONNECT_TIMEOUT" in os.environ
    engine = create_engine(address, connect_args={} if given else {"connect_timeout": DEADLINE})
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def _address(site: Site, folder: Path) -> str:
    where = resolved(site.stores.tracking)
    if where == "sqlite":
        return f"sqlite:///{folder / 'mlflow.db'}"
    return where.replace("postgresql://", "postgresql+psycopg://", 1)
