"""Writes: one at a time for a customer, and each Idempotency-Key once."""

from app.writes.writes import Attempt, EarlierTry, Kept, Write, Writes

__all__ = ["Attempt", "EarlierTry", "Kept", "Write", "Writes"]
