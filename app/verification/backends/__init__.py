"""The generations of Huawei's API that serve a verification."""

from app.verification.backends.backend import Backend, Draft, refusal
from app.verification.backends.legacy import LegacyBackend
from app.verification.backends.review import ReviewBackend

__all__ = ["Backend", "Draft", "LegacyBackend", "ReviewBackend", "refusal"]
