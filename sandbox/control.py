"""The control calls under /_sandbox: tests configure and inspect the sandbox by them."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from flask import Blueprint, Response, g, jsonify, request

from .control_billing import add_billing_calls
from .control_customers import add_customer_calls
from .control_document import read_document
from .customers import Review
from .operations import NAMES
from .settings import InvalidControl, is_number
from .state import State

PREFIX = "/_sandbox"


def control_calls(state: State) -> Blueprint:
    """Return the blueprint of all control calls on this state."""
    calls = Blueprint("control", __name__, url_prefix=PREFIX)

    @calls.before_request
    def hold_lock() -> None:
        # Read the body before the lock: a slow caller must not block the others.
        request.get_data()
        state.lock.acquire()
        g.locked = True

    @calls.teardown_request
    def release_lock(_error: BaseException | None) -> None:
        if g.pop("locked", False):
            state.lock.release()

    @calls.errorhandler(InvalidControl)
    def refuse(error: InvalidControl) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    _add_state_calls(calls, state)
    _add_fault_calls(calls, state)
    _add_request_calls(calls, state)
    _add_credential_calls(calls, state)
    _add_review_calls(calls, state)
    add_customer_calls(calls, state)
    add_billing_calls(calls, state)
    return calls


def _add_state_calls(calls: Blueprint, state: State) -> None:
    @calls.post("/reset")
    def reset() -> Response:
        state.reset()
        return jsonify({})

    @calls.get("/state")
    def show_state() -> Response:
        return jsonify(state.as_dict())

    @calls.patch("/settings")
    def change_settings() -> Response:
        state.settings.change(read_document())
        return jsonify(state.settings.as_dict())

    @calls.put("/clock")
    def move_clock() -> Response:
        offset = read_document("offset_seconds").get("offset_seconds")
        if offset is None or not is_number(offset):
            raise InvalidControl(f"offset_seconds must be a number, not {offset!r}")
        state.clock.offset_seconds = offset
        return jsonify(offset_seconds=offset)


def _add_fault_calls(calls: Blueprint, state: State) -> None:
    @calls.post("/faults")
    def add_fault() -> tuple[Response, int]:
        return jsonify(state.faults.add(read_document(), NAMES).as_dict()), 201

    @calls.get("/faults")
    def list_faults() -> Response:
        return jsonify(state.faults.as_list())

    @calls.delete("/faults")
    def clear_faults() -> Response:
        state.faults.clear(request.args.get("customer"))
        return jsonify({})


def _add_request_calls(calls: Blueprint, state: State) -> None:
    @calls.get("/requests")
    def list_requests() -> Response:
        return jsonify([asdict(entry) for entry in state.requests])

    @calls.delete("/requests")
    def forget_requests() -> Response:
        state.requests.clear()
        return jsonify({})

    @calls.get("/objects")
    def list_objects() -> Response:
        return jsonify(
            [
                {
                    "bucket": bucket,
                    "key": key,
                    "size": len(stored.content),
                    "sha256": hashlib.sha256(stored.content).hexdigest(),
                    "content_type": stored.content_type,
                }
                for bucket, objects in state.buckets.items()
                for key, stored in objects.items()
            ]
        )


def _add_credential_calls(calls: Blueprint, state: State) -> None:
    @calls.put("/access-keys")
    def replace_access_keys() -> Response:
        state.access_keys.replace(read_document(), state.clock.now())
        return jsonify(state.access_keys.as_dict(state.clock.now()))

    @calls.post("/access-keys/unlock")
    def unlock_access_keys() -> Response:
        state.access_keys.unlock()
        return jsonify(state.access_keys.as_dict(state.clock.now()))

    @calls.post("/tokens/revoke")
    def revoke_tokens() -> Response:
        state.tokens.revoke(str(read_document("as").get("as", "expired")))
        return jsonify({})


def _add_review_calls(calls: Blueprint, state: State) -> None:
    @calls.put("/reviews/<path:customer_id>")
    def end_review(customer_id: str) -> Response:
        document = read_document("result", "opinion")
        result, opinion = document.get("result"), document.get("opinion")
        if result not in ("passed", "rejected", "in_review"):
            raise InvalidControl(f"result must be passed, rejected or in_review, not {result!r}")
        if not isinstance(opinion, str | None):
            raise InvalidControl(f"opinion must be a string or null, not {opinion!r}")
        customer, now = state.customer(customer_id), state.clock.now()
        review = customer.review or Review(kind=0, ends_at=None)
        if result == "in_review":
            review.ends_at = None
        else:
            review.ends_at, review.outcome, review.opinion = now, result, opinion
        customer.review, customer.legacy_kind = review, None
        return jsonify(customer.as_dict(now))
