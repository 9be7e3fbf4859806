"""Pages for people, and the security headers of every answer."""

from app.api.pages.assets import init_app
from app.api.pages.headers import PAGE_POLICY, SWAGGER_UI_POLICY, protect
from app.api.pages.rendering import html_preferred, not_found, page

__all__ = [
    "PAGE_POLICY",
    "SWAGGER_UI_POLICY",
    "html_preferred",
    "init_app",
    "not_found",
    "page",
    "protect",
]
