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
    """Answer ok while any account has readable credentials and the process is not draining.

    An account without them is not hidden: GET /v1/accounts, a metric and an alert tell of it.

    Raises:
        GatewayError: OVERLOADED while the process drains; UPSTREAM_ACCESS_DENIED if the
            credential files of no account can be read.
    """
    if gateway().draining.is_set():
        raise GatewayError(ErrorCode.OVERLOADED, "Not ready: the process is shutting down.")
    # Each account is asked, because the question reads its files again.
    usable = [account.credentials.usable() for account in gateway().accounts.values()]
    if not any(usable):
        raise GatewayError(
            ErrorCode.UPSTREAM_ACCESS_DENIED,
            "Not ready: the credential files of no account can be read.",
        )
    return {"status": "ok"}
