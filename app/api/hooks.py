"""The hooks before and after each request, in their order."""

from flask import Flask

from app.api import authentication, pages, record
from app.api.rates import Rates, Waiting, bound, count, release
from app.callers import Callers


def init_app(app: Flask, callers: Callers, rates: Rates) -> None:
    """Register every hook. A hook that raises ends the request with its problem."""
    record.create_series()
    waiting = Waiting()
    before = (
        record.begin,
        authentication.identify(callers),
        count(rates),  # after the identification, before the rights
        bound(waiting),
        authentication.authorize,
    )
    after = (
        pages.protect,
        record.audit,
        record.end,  # last: it records the final answer
    )
    for hook in before:
        app.before_request(hook)
    for answered in reversed(after):  # Flask calls the last one first
        app.after_request(answered)
    app.teardown_request(release(waiting))
