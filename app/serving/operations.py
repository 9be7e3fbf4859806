"""What the operations port serves: the metrics and the probes."""

import json
import uuid
from collections.abc import Iterable
from typing import Any

from prometheus_client import make_wsgi_app

from app.api.problems.document import MEDIA_TYPE, members
from app.errors import ErrorCode, GatewayError
from app.serving.port import Application

PROBES = ("/livez", "/readyz")


def application(gateway: Application) -> Application:
    """The WSGI application of the operations port.

    Args:
        gateway: The gateway's application, which answers the probes.
    """
    metrics = make_wsgi_app()

    def operations(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in PROBES:
            return gateway(environ, start_response)
        return (metrics if path == "/metrics" else _not_found)(environ, start_response)

    return operations


def _not_found(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    request_id = str(uuid.uuid4())
    problem = members(GatewayError(ErrorCode.NOT_FOUND), False, request_id)
    headers = [("Content-Type", MEDIA_TYPE), ("X-Request-Id", request_id)]
    start_response("404 Not Found", headers)
    return [json.dumps(problem).encode()]
