"""Writes: one at a time for a customer, and each Idempotency-Key once."""

from app.writes.looks import PAUSES, UNCLEAR, look
from app.writes.write import AS_IT_IS, EarlierTry, Kept, Write
from app.writes.writes import Attempt, Writes

__all__ = [
    "AS_IT_IS",
    "PAUSES",
    "UNCLEAR",
    "Attempt",
    "EarlierTry",
    "Kept",
    "Write",
    "Writes",
    "look",
]
