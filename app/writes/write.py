"""A write that a caller asked for, an earlier try of it, and how its answer is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.huawei.pacing.deadline import Errand

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write that a caller asked for.

    Args:
        kind: What it writes: the same key can be used for another kind.
        subject: The customer, by one of its ids. One write at a time is sent for it, of any kind.
        body: What a repeat must have in common with the first request, in the words of the
            contract. Only its keyed fingerprint is stored. It holds no secret and no address.
        errand: The caller and the deadline.
        key: The Idempotency-Key; None if the caller sent none.
    """

    kind: str
    subject: str
    body: Mapping[str, Any]
    errand: Errand
    key: str | None


@dataclass(frozen=True, slots=True)
class EarlierTry:
    """A try with the same key that was sent and has no known outcome.

    Args:
        sent_to: The API that received it.
        sent_at: When it was sent, in seconds of the wall clock.
        alone: Whether no other write for the subject was sent since.
        before: The subject's state before it was sent. None if that state was not read, or if
            another write for the subject was sent since.
    """

    sent_to: str
    sent_at: float
    alone: bool
    before: str | None


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """How an answer is kept for the repeats of its request.

    Args:
        keep: The answer as JSON, without personal values.
        replay: The answer of a write, read from that JSON.
        kind_of: The name under which the kind of the write is stored; empty if it is not stored.
    """

    keep: Callable[[T], Mapping[str, Any]]
    replay: Callable[[Write, Mapping[str, Any]], T]
    kind_of: str = ""


# For an answer that is JSON already and holds no personal value.
AS_IT_IS: Kept[Mapping[str, Any]] = Kept(lambda answer: answer, lambda _, answer: answer)
