"""The versions of a target's model: their numbers in MLflow, and the few ways to make one of them champion.

``promotion``  promote, challenge, rollback: read this first
``terms``      the append-only record of who served from when, and who decided so
``versions``   every version with its verdict and its terms
``mlflow_client``  the door to MLflow
"""

from leadlight.registry.mlflow_client import mlflow_client, model_name, register
from leadlight.registry.promotion import challenge, promote, rollback
from leadlight.registry.terms import Decision
from leadlight.registry.versions import Version, versions

__all__ = [
    "Decision",
    "Version",
    "challenge",
    "mlflow_client",
    "model_name",
    "promote",
    "register",
    "rollback",
    "versions",
]
