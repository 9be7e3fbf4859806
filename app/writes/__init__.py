"""Writes: one at a time for a customer, and each Idempotency-Key once."""

from app.writes.looks import PAUSES, UNCLEAR, look
from app.writes.writes import Attempt, EarlierTry, Kept, Write, Writes

__all__ = ["PAUSES", "UNCLEAR", "Attempt", "EarlierTry", "Kept", "Write", "Writes", "look"]
