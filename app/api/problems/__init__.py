"""Every failure is answered and documented as an RFC 9457 problem."""

from app.api.problems.api import ProblemApi

__all__ = ["ProblemApi"]
