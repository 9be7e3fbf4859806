"""The domain of verification: one contract for two generations of Huawei's API."""

from app.verification.verifications import Verifications

__all__ = ["Verifications"]
