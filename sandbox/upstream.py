"""Handles one upstream request: records it, serves it, injects a fault, and answers."""

from __future__ import annotations

import secrets
import socket
import struct

from flask import Request, Response

from .calls import Answer, Call, OversizedBody, Refused, TruncatedBody, lower_headers, read_body
from .injection import inject
from .operations import Operation, carry_out, find_operation, oversized
from .state import Recorded, State

BODY_SHOWN = 64 * 1024


def exchange(state: State, request: Request) -> Response:
    """Answer one upstream request, or reset its connection."""
    headers = lower_headers(request.headers.items())
    target = str(request.environ["RAW_URI"])
    call = Call(secrets.token_hex(16), request.method, target, headers)
    with state.lock:
        operation = find_operation(state, call)
    entry = state.record(operation.name, call.method, target, dict(request.headers.items()))
    answer = _answer(state, request, call, operation, entry)
    if answer is None:
        cut_connection(request)
        return Response(status=500)
    entry.status, entry.code = answer.status, answer.code
    response = Response(answer.body if answer.stream is None else answer.stream, answer.status)
    del response.headers["Content-Type"]
    # Set the headers one by one: the constructor would correct a wrong Content-Length.
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers["X-Request-Id"] = call.request_id
    response.headers["Date"] = state.clock.http_date()
    return response


def _answer(
    state: State, request: Request, bare: Call, operation: Operation, entry: Recorded
) -> Answer | None:
    try:
        call = _with_body(request, bare, operation)
    except TruncatedBody:
        return None
    except OversizedBody:
        return oversized(bare)
    entry.body = (
        "" if operation.name == "obs" else call.body[:BODY_SHOWN].decode("utf-8", "replace")
    )
    with state.lock:
        fault = state.faults.use(operation.name, call)
    if fault is None:
        return _processed(state, call, operation, entry)
    # Replaces the answer of a call that is not processed.
    answer = Answer(200, b"{}", {"Content-Type": "application/json"})
    if fault.processed:
        answer = _processed(state, call, operation, entry)
    return inject(fault, answer, call.request_id)


def _with_body(request: Request, call: Call, operation: Operation) -> Call:
    chunked = bool(request.environ.get("wsgi.input_terminated")) and request.content_length is None
    length = None if chunked else request.content_length or 0
    body = read_body(request.environ["wsgi.input"], length, operation.body_limit)
    return Call(call.request_id, call.method, call.target, call.headers, body)


def _processed(state: State, call: Call, operation: Operation, entry: Recorded) -> Answer:
    with state.lock:
        try:
            answer = carry_out(state, call, operation)
        except Refused as refused:
            answer = refused.answer
        entry.processed = answer.processed
    return answer


def cut_connection(request: Request) -> None:
    """Reset the connection: the caller's next read or write fails."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is None:
        return
    # With a linger time of zero, `close` sends RST instead of FIN. `detach` is needed because the
    # server still holds files on the socket, which would delay the close.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(connection.detach())
