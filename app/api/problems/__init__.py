"""Every failure is answered and documented as an RFC 9457 problem."""

from app.api.problems.handlers import init_app

__all__ = ["init_app"]
