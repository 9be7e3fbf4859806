"""The internal services that call the gateway, and the issuers of their tokens."""

from app.callers.callers import Callers

__all__ = ["Callers"]
