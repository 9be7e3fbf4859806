"""Renders a page for people, where `Accept` asks for it."""

from typing import Any

from flask import Response, make_response, render_template, request

from app.api.pages.headers import PAGE_HEADERS, PAGE_POLICY
from app.errors import GatewayError


def html_preferred() -> bool:
    """Return True if `Accept` prefers HTML to JSON, as browsers do and programs do not."""
    json, html = "application/json", "text/html"
    return request.accept_mimetypes.best_match([json, html], json) == html


def page(template: str, policy: str = PAGE_POLICY, **context: Any) -> Response:
    """Return a page.

    Args:
        template: The name of its template.
        policy: Its Content-Security-Policy.
        context: The variables of the template.
    """
    response = make_response(render_template(template, **context))
    response.headers.update(PAGE_HEADERS)
    response.headers["Content-Security-Policy"] = policy
    return response


def not_found(error: GatewayError) -> Response:
    """Return the page for a person who follows a wrong link."""
    response = page("not_found.html", detail=error.detail)
    response.status_code = error.code.status
    response.vary.add("Accept")
    return response
