"""Pages for people, and the security headers of every answer."""

from app.api.pages.rendering import (
    PAGE_POLICY,
    SWAGGER_UI_POLICY,
    html_preferred,
    init_app,
    page,
    protect,
)

__all__ = ["PAGE_POLICY", "SWAGGER_UI_POLICY", "html_preferred", "init_app", "page", "protect"]
