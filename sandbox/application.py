"""The sandbox as a web application: Huawei's paths, and the control calls of tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, request

from .control import PREFIX, control_calls
from .state import State
from .upstream import exchange

STATE = "sandbox"


def create_sandbox(settings: Mapping[str, Any] | None = None) -> Flask:
    """Create a sandbox with its own state.

    Args:
        settings: The settings of the start state that differ from their start values.

    Raises:
        InvalidControl: a setting is not valid.
    """
    app = Flask(__name__, static_folder=None)
    state = State(settings)
    app.extensions[STATE] = state
    app.register_blueprint(control_calls(state))

    # Serve before routing: the signature check needs the upstream path unchanged.
    @app.before_request
    def serve_upstream() -> Response | None:
        if request.path.startswith(f"{PREFIX}/"):
            return None
        return exchange(state, request)

    return app
