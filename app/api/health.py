"""Whether the process lives, and whether it should be sent requests. Neither asks upstream."""

from flask import Blueprint

from app.api.authentication import open_to_all
from app.api.extensions import gateway
from app.errors import ErrorCode, GatewayError

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
@open_to_all
def livez() -> dict[str, str]:
    """Answer as long as the process can."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@open_to_all
def readyz() -> dict[str, str]:
    """Answer ok while every account has something to sign with and the process goes on."""
    if gateway().draining.is_set():
        raise GatewayError(ErrorCode.OVERLOADED, "Not ready: the process is about to end.")
    accounts = gateway().credentials
    missing = sorted(name for name, credentials in accounts.items() if not credentials.usable())
    if missing:
        raise GatewayError(
            ErrorCode.UPSTREAM_ACCESS_DENIED,
            f"Not ready: the credential files of account {', '.join(missing)} cannot be read.",
        )
    return {"status": "ok"}
