"""The sandbox as a web application: Huawei's paths, and the control calls of tests."""

from __future__ import annotations

from flask import Flask, Response, request

from .control import PREFIX, control_calls
from .state import State
from .upstream import exchange

STATE = "sandbox"


def create_sandbox() -> Flask:
    """Create a sandbox with its own state."""
    app = Flask(__name__, static_folder=None)
    state = State()
    app.extensions[STATE] = state
    app.register_blueprint(control_calls(state))

    # Serve before routing: the signature check needs the upstream path unchanged.
    @app.before_request
    def serve_upstream() -> Response | None:
        if request.path.startswith(f"{PREFIX}/"):
            return None
        return exchange(state, request)

    return app
