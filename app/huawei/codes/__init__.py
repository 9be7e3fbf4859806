"""Huawei's error codes: the table of meanings, and how a code is read from an answer."""

from app.huawei.codes.reading import Verdict, error_code, meaning, verdict
from app.huawei.codes.table import COMMON, FAMILIES, KNOWN, OTHER, REGISTRATION, STATUSES

__all__ = [
    "COMMON",
    "FAMILIES",
    "KNOWN",
    "OTHER",
    "REGISTRATION",
    "STATUSES",
    "Verdict",
    "error_code",
    "meaning",
    "verdict",
]
