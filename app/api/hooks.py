"""The hooks before and after each request, in their order."""

from flask import Flask

from app.api import audit, authentication, pages, record
from app.api.rates import Rates, count
from app.callers import Callers


def init_app(app: Flask, callers: Callers, rates: Rates) -> None:
    """Register every hook. A hook that raises ends the request with its problem."""
    record.create_series()
    before = (
        record.begin,
        authentication.identify(callers),
        count(rates),  # after the identification, before the rights
        authentication.authorize,
    )
    after = (
        pages.protect,
        audit.write,
        record.end,  # last: it records the final answer
    )
    for hook in before:
        app.before_request(hook)
    for answered in reversed(after):  # Flask calls the last one first
        app.after_request(answered)
