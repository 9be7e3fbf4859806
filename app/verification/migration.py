"""Counts, for each caller, the submissions that the review backend would accept."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.errors import FieldError
from app.observability import metrics


@dataclass(slots=True)
class _Tally:
    submissions: int = 0
    ready: int = 0
    obstacles: Counter[tuple[str, str]] = field(default_factory=Counter)
    backends: Counter[str] = field(default_factory=Counter)


class Migration:
    """The counts of this process since its start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[str, _Tally] = {}

    def count(self, caller: str, backend: str, obstacles: Iterable[FieldError]) -> None:
        """Count a submission.

        Args:
            caller: The caller.
            backend: The backend that was chosen.
            obstacles: The errors of the review backend's rules that the submission breaks.
        """
        broken = {(one.pointer or "", one.code) for one in obstacles}
        metrics.REVIEW_READINESS.labels(caller, "no" if broken else "yes").inc()
        with self._lock:
            tally = self._tallies.setdefault(caller, _Tally())
            tally.submissions += 1
            tally.ready += not broken
            for obstacle in broken:
                tally.obstacles[obstacle] += 1
            tally.backends[backend] += 1

    def by_caller(self) -> list[dict[str, Any]]:
        """The counts, in the words of the contract."""
        with self._lock:
            return [
                {
                    "caller": caller,
                    "submissions": tally.submissions,
                    "ready_for_review": tally.ready,
                    "obstacles": [
                        {"pointer": pointer, "code": code, "submissions": number}
                        for (pointer, code), number in tally.obstacles.most_common()
                    ],
                    "backends": [
                        {"backend": backend, "submissions": number}
                        for backend, number in tally.backends.most_common()
                    ],
                }
                for caller, tally in sorted(self._tallies.items())
            ]
