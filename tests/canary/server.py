"""The gateway with extra routes that crash over their input, and routes that leak it.

gunicorn serves this module in place of the gateway. The gateway is unchanged but for the levels of
the loggers: every logger is at DEBUG, including those of libraries.
"""

from __future__ import annotations

import gc
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import marshmallow
import pydantic
import redis
import requests
from flask import Flask, Response, abort, request
from werkzeug.exceptions import InternalServerError

import app as gateway
from app.api.authentication import open_to_all
from app.api.extensions import gateway as parts
from app.observability import metrics, tracing
from app.observability.logs import AUDIT, event, logger


class _Person(pydantic.BaseModel):
    age: int


class _Dying:
    def __init__(self, text: str) -> None:
        self.text = text

    def __del__(self) -> None:
        raise ValueError(self.text)


def _chain(text: str) -> None:
    local = {"held": text}
    try:
        try:
            raise KeyError(local["held"])
        except KeyError as error:
            error.add_note(text)
            raise ValueError(text) from error
    except ValueError:
        raise RuntimeError(text, local)  # noqa: B904 - the context is the point


def _group(text: str) -> None:
    raise ExceptionGroup(text, [ValueError(text), KeyError(text)])


def _in_thread(text: str) -> None:
    thread = threading.Thread(target=_chain, args=(text,), name=text)
    thread.start()
    thread.join()


def _in_greenlet(text: str) -> None:
    gevent.spawn(_chain, text).join()


def _dying(text: str) -> None:
    held = [_Dying(text)]
    del held[0]
    gc.collect()


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=1)


def _log(text: str) -> None:
    log = logging.getLogger("library.part")
    log.error(text)
    log.error("failed for %s", text)
    log.error("failed for %(name)s", {"name": text})
    log.error("failed for %d", text)
    log.error(ValueError(text))
    log.warning("with %s", "two", text)
    log.info("with the stack", stack_info=True)
    try:
        _chain(text)
    except RuntimeError:
        log.exception("failed for %s", text)
        logging.getLogger("gunicorn.error").exception("Error handling request %s", text)


def _stream(text: str) -> Response:
    def parts_of_it() -> Iterator[str]:
        yield "{"
        _chain(text)

    return Response(parts_of_it(), mimetype="application/json")


def _ask(text: str) -> None:
    requests.get("http://127.0.0.1:1/", params={"name": text}, timeout=1)


def _redis(text: str) -> None:
    redis.Redis(port=1, username=text, password=text).set(text, text)


def _abort(text: str) -> None:
    abort(400, text)


def _internal(text: str) -> None:
    raise InternalServerError(text, original_exception=ValueError(text))


def _validate(text: str) -> None:
    marshmallow.Schema.from_dict({"age": marshmallow.fields.Integer()})().load({"age": text})


CRASHES: dict[str, Callable[[str], Any]] = {
    "abort": _abort,
    "after": lambda _: "",
    "ask": _ask,
    "chain": _chain,
    "dying": _dying,
    "greenlet": _in_greenlet,
    "group": _group,
    "internal": _internal,
    "json": lambda text: json.loads(f'{{"name": "{text}"'),
    "key": lambda text: dict[str, str]()[text],
    "log": _log,
    "pydantic": lambda text: _Person.model_validate({"age": text}),
    "redis": _redis,
    "status": lambda text: ("", text),
    "stream": _stream,
    "teardown": lambda _: "",
    "thread": _in_thread,
    "unicode": lambda text: text.encode("ascii"),
    "validate": _validate,
    "warning": _warn,
}


def _leak_state(text: str) -> None:
    """Write past the gateway's state, which keeps no name and no value in clear."""
    with redis.Redis.from_url(parts().settings.state.url) as client:
        client.set(text, b"1", ex=600)


LEAKS: dict[str, Callable[[str], Any]] = {
    "answers": lambda text: text,
    "audit": lambda text: event(logging.getLogger(AUDIT), logging.INFO, "write", outcome=text),
    "files": lambda text: Path("left-behind").write_text(text),
    "log": lambda text: event(logger("part"), logging.DEBUG, "leaked", value=text),
    "metrics": lambda text: metrics.UNMAPPED_CODES.labels("any", text).inc(),
    "spans": lambda text: tracing.note(code=text),
    "state": _leak_state,
    "stdout": lambda text: print(text, flush=True),  # noqa: T201
}


@open_to_all
def crash(kind: str) -> Any:
    text = request.get_data(as_text=True)
    made = CRASHES[kind](text)
    return made if made is not None else ""


@open_to_all
def leak(sink: str) -> Any:
    return LEAKS[sink](request.get_data(as_text=True)) if sink == "answers" else _leak(sink)


def _leak(sink: str) -> str:
    LEAKS[sink](request.get_data(as_text=True))
    return ""


def _crash_after(response: Response) -> Response:
    if request.path == "/crash/after":
        _chain(request.get_data(as_text=True))
    return response


def _crash_at_the_end(_: BaseException | None) -> None:
    if request.path == "/crash/teardown":
        _chain(request.get_data(as_text=True))


def create_app() -> Flask:
    """Build the configured gateway with the extra routes."""
    app = gateway.create_app()
    app.add_url_rule("/crash/<kind>", view_func=crash, methods=["POST"])
    app.add_url_rule("/leak/<sink>", view_func=leak, methods=["POST"])
    app.after_request(_crash_after)
    app.teardown_request(_crash_at_the_end)
    for name in (None, *logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)
    return app
