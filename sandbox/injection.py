"""Injects each kind of fault into an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from .calls import Answer, json_answer
from .codes import code_answer
from .faults import DAMAGES, Fault

HUGE_BYTES = 2 * 1024 * 1024 + 1024
HTML = b"<html><head><title>%d</title></head><body><h1>Gateway trouble</h1></body></html>"


def inject(fault: Fault, answer: Answer, request_id: str) -> Answer | None:
    """Return the answer with a fault; None if the connection must be reset.

    Args:
        fault: The fault.
        answer: The real answer, or an empty JSON object if the call was not processed.
        request_id: The request id of the answer.
    """
    if fault.kind in ("reset", "refuse", "hang"):
        if fault.kind == "hang":
            fault.cleared.wait(fault.parameters["seconds"])
        return None
    changed = _INJECTIONS[fault.kind](fault, answer, request_id)
    if changed.status == 204 and changed.body:
        changed.status = 200  # HTTP sends no body with 204
    return changed


def _latency(fault: Fault, answer: Answer, _request_id: str) -> Answer:
    fault.cleared.wait(fault.parameters["seconds"])
    return answer


def _truncated(_fault: Fault, answer: Answer, _request_id: str) -> Answer:
    answer.headers["Content-Length"] = str(len(answer.body) + 64)
    answer.status = 200 if answer.status == 204 else answer.status
    return answer


def _html(fault: Fault, _answer: Answer, _request_id: str) -> Answer:
    status = fault.parameters["status"]
    return Answer(status, HTML % status, {"Content-Type": "text/html"})


def _empty(fault: Fault, _answer: Answer, _request_id: str) -> Answer:
    return Answer(fault.parameters["status"])


def _content_type(_fault: Fault, answer: Answer, _request_id: str) -> Answer:
    answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    return answer


def _bad_json(_fault: Fault, answer: Answer, _request_id: str) -> Answer:
    answer.body = (answer.body[:-1] or b"{") + b",,"
    return answer


def _not_object(_fault: Fault, answer: Answer, _request_id: str) -> Answer:
    answer.body = b"[" + answer.body + b"]"
    return answer


def _status(fault: Fault, _answer: Answer, _request_id: str) -> Answer:
    status, body = fault.parameters["status"], fault.parameters["body"]
    if isinstance(body, str):
        return Answer(status, body.encode(), {"Content-Type": "text/plain; charset=utf-8"})
    return json_answer(status, body)


def _code(fault: Fault, _answer: Answer, request_id: str) -> Answer:
    chosen = fault.parameters
    return code_answer(chosen["code"], request_id, status=chosen["status"], text=chosen["message"])


def _throttled(fault: Fault, _answer: Answer, request_id: str) -> Answer:
    code, retry_after = fault.parameters["code"], fault.parameters["retry_after"]
    answer = Answer(429) if code is None else code_answer(code, request_id, status=429)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _damaged_text(fault: Fault, answer: Answer, _request_id: str) -> Answer:
    document = json.loads(answer.body or b"{}")
    name = "error_msg" if "error_msg" in document else "remark"
    document[name] = "TEXT"
    text = DAMAGES[fault.parameters["damage"]]
    answer.body = json.dumps(document).encode().replace(b'"TEXT"', b'"' + text + b'"')
    return answer


def _huge(_fault: Fault, answer: Answer, _request_id: str) -> Answer:
    padding = json.dumps({"padding": "x" * HUGE_BYTES})
    inner = answer.body.strip()
    # The answer stays a JSON object; only its size is wrong.
    answer.body = padding.encode() if len(inner) < 3 else inner[:-1] + b"," + padding[1:].encode()
    return answer


def _redirect(fault: Fault, _answer: Answer, _request_id: str) -> Answer:
    return Answer(302, headers={"Location": fault.parameters["location"]})


def _slow_body(fault: Fault, answer: Answer, _request_id: str) -> Answer:
    answer.headers["Content-Length"] = str(len(answer.body))
    answer.stream = _drip(answer.body, fault)
    return answer


def _drip(body: bytes, fault: Fault) -> Iterator[bytes]:
    pause = fault.parameters["seconds"] / max(len(body), 1)
    for position in range(len(body)):
        fault.cleared.wait(pause)
        yield body[position : position + 1]


_INJECTIONS: dict[str, Callable[[Fault, Answer, str], Answer]] = {
    "latency": _latency,
    "truncated": _truncated,
    "html": _html,
    "empty": _empty,
    "content_type": _content_type,
    "bad_json": _bad_json,
    "not_object": _not_object,
    "status": _status,
    "code": _code,
    "throttled": _throttled,
    "damaged_text": _damaged_text,
    "huge": _huge,
    "redirect": _redirect,
    "slow_body": _slow_body,
}
