"""The headers that protect browsers: of every answer, and of pages."""

from flask import Response

# An answer may load and send nothing, and no page may frame it. Pages get a wider policy.
_DENY_ALL = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
ANSWER_HEADERS = {
    "Content-Security-Policy": _DENY_ALL,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
PAGE_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
PAGE_POLICY = f"{_DENY_ALL}; style-src 'self'; img-src 'self'"
# Swagger UI is a script that calls the gateway, and its style sheet has `data:` images.
SWAGGER_UI_POLICY = f"{PAGE_POLICY} data:; script-src 'self'; connect-src 'self'"


def protect(response: Response) -> Response:
    """The hook that adds the headers which protect browsers, where a view set none."""
    for name, value in ANSWER_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
