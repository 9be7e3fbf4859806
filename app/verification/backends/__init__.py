"""The generations of Huawei's API that serve a verification."""

from app.verification.backends.backend import Backend, refusal
from app.verification.backends.legacy import LegacyBackend
from app.verification.backends.review import ReviewBackend
from app.verification.backends.translation import Draft

__all__ = ["Backend", "Draft", "LegacyBackend", "ReviewBackend", "refusal"]
