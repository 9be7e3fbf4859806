"""The blueprint of all resources, and the groups of problems that their operations document."""

from collections.abc import Callable, Iterable

import flask_smorest

from app.answers import Answer, example_of
from app.api.authentication import View, requires
from app.api.problems.document import MEDIA_TYPE, RETRY_AFTER, ProblemSchema
from app.api.problems.parser import Parser
from app.errors import ErrorCode
from app.fields import RequestSchema
from app.huawei import codes
from app.settings import Scope

IDENTITY_PROBLEMS = (
    ErrorCode.UNAUTHENTICATED,
    ErrorCode.FORBIDDEN,
    ErrorCode.IDENTITY_UNAVAILABLE,
)
CALLER_PROBLEMS = (*IDENTITY_PROBLEMS, ErrorCode.NOT_FOUND)
BODY_PROBLEMS = (
    ErrorCode.MALFORMED_JSON,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.VALIDATION_FAILED,
)
UPSTREAM_PROBLEMS = frozenset(codes.COMMON.values()) | {
    ErrorCode.ACCESS_KEY_LOCKED,
    ErrorCode.CIRCUIT_OPEN,
    ErrorCode.CLOCK_SKEWED,
    ErrorCode.DEADLINE_EXCEEDED,
    ErrorCode.OVERLOADED,
    ErrorCode.UPSTREAM_MALFORMED,
    ErrorCode.UPSTREAM_UNMAPPED,
    ErrorCode.UPSTREAM_UNREACHABLE,
}


class ResourceBlueprint(flask_smorest.Blueprint):
    """flask-smorest's Blueprint with our parser and with documented problems."""

    ARGUMENTS_PARSER = Parser()

    def read(
        self,
        rule: str,
        answer: type[Answer],
        scope: Scope,
        query: type[RequestSchema] | None = None,
        *problems: ErrorCode,
    ) -> Callable[[View], View]:
        """Declare a read: its path, answer, scope, query and problems. Its id is the view's name.

        Args:
            rule: The rest of the path.
            answer: The schema of the answer.
            scope: The right that it needs.
            query: The schema of the query; the view gets what it loads as its first argument.
            *problems: The problems of its own.
        """

        def decorate(view: View) -> View:
            first, *others = view.__name__.split("_")
            name = first + "".join(map(str.capitalize, others))
            view = self.problems(CALLER_PROBLEMS, UPSTREAM_PROBLEMS, problems)(view)
            view = self.response(200, answer(), example=example_of(answer))(view)
            if query is not None:
                view = self.problems(ErrorCode.VALIDATION_FAILED)(view)
                view = self.arguments(query(), location="query")(view)
            view = requires(scope)(self.doc(operationId=name)(view))
            self.get(rule)(view)
            return view

        return decorate

    def problems(self, *codes: ErrorCode | Iterable[ErrorCode]) -> Callable[[View], View]:
        """Document the problems of a view: one response a status, with an example for each code."""
        listed: set[ErrorCode] = set()
        for entry in codes:
            listed |= {entry} if isinstance(entry, ErrorCode) else set(entry)

        def decorate(view: View) -> View:
            for status in sorted({code.status for code in listed}):
                entries = [code for code in ErrorCode if code in listed and code.status == status]
                view = self.alt_response(
                    status,
                    schema=ProblemSchema,
                    content_type=MEDIA_TYPE,
                    description=", ".join(code.name for code in entries),
                    examples={code.name: code.name for code in entries},
                    headers=RETRY_AFTER if any(code.pause for code in entries) else None,
                )(view)
            return view

        return decorate
