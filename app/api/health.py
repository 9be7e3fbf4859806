"""The probes of Kubernetes: liveness and readiness. Neither calls upstream."""

from flask import Blueprint

from app.api.authentication import open_to_all
from app.api.extensions import gateway
from app.errors import ErrorCode, GatewayError

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
@open_to_all
def livez() -> dict[str, str]:
    """Answer ok while the process runs."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@open_to_all
def readyz() -> dict[str, str]:
    """Answer ok while every account has readable credentials and the process is not draining.

    Raises:
        GatewayError: OVERLOADED while the process drains; UPSTREAM_ACCESS_DENIED if the
            credential files of an account cannot be read.
    """
    if gateway().draining.is_set():
        raise GatewayError(ErrorCode.OVERLOADED, "Not ready: the process is shutting down.")
    accounts = gateway().credentials
    missing = sorted(name for name, credentials in accounts.items() if not credentials.usable())
    if missing:
        raise GatewayError(
            ErrorCode.UPSTREAM_ACCESS_DENIED,
            f"Not ready: the credential files of account {', '.join(missing)} cannot be read.",
        )
    return {"status": "ok"}
