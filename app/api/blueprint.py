"""The blueprint of all resources: our parser, documented headers and documented problems."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import flask_smorest

from app.answers import Answer, example_of
from app.api.authentication import View, requires
from app.api.problems.document import MEDIA_TYPE
from app.api.problems.parser import Parser
from app.api.problems.responses import (
    BODY_PROBLEMS,
    CALLER_PROBLEMS,
    EVENTS_PROBLEMS,
    IDENTITY_PROBLEMS,
    REGISTRATION_PROBLEMS,
    SHARED,
    SUBMISSION_PROBLEMS,
    UPSTREAM_PROBLEMS,
    WRITE_PROBLEMS,
    by_status,
    response,
)
from app.errors import ErrorCode
from app.fields import QuerySchema, RequestSchema
from app.settings import Scope

__all__ = [
    "BODY_PROBLEMS",
    "CALLER_PROBLEMS",
    "EVENTS_PROBLEMS",
    "IDENTITY_PROBLEMS",
    "REGISTRATION_PROBLEMS",
    "SUBMISSION_PROBLEMS",
    "UPSTREAM_PROBLEMS",
    "OpenBlueprint",
    "ResourceBlueprint",
]


class ResourceBlueprint(flask_smorest.Blueprint):
    """flask-smorest's Blueprint for operations that callers are identified for."""

    ARGUMENTS_PARSER = Parser()
    ANSWER_HEADERS: ClassVar[tuple[str, ...]] = ("X-Request-Id", "RateLimit", "RateLimit-Policy")

    def response(self, *args: Any, headers: Iterable[str] = (), **kwargs: Any) -> Any:
        """Declare the success of a view, with the headers that it sends."""
        return super().response(*args, headers=self._headers(headers), **kwargs)

    def also(self, *args: Any, headers: Iterable[str] = (), **kwargs: Any) -> Any:
        """Declare another success of a view, with the headers that it sends."""
        return self.alt_response(*args, headers=self._headers(headers), success=True, **kwargs)

    def _headers(self, more: Iterable[str]) -> dict[str, str]:
        """The headers by their names, which are those of the contract's components too."""
        return {name: name for name in (*self.ANSWER_HEADERS, *more)}

    def read(
        self,
        rule: str,
        answer: type[Answer],
        scope: Scope,
        query: type[QuerySchema] | None = None,
        *problems: ErrorCode,
        about_customers: bool = True,
        parameters: Sequence[str] = (),
    ) -> Callable[[View], View]:
        """Declare a read: its path, answer, scope, query and problems. Its id is the view's name.

        Args:
            rule: The rest of the path.
            answer: The schema of the answer.
            scope: The right that it needs.
            query: The schema of the query; the view gets what it loads as its first argument.
            *problems: The problems of its own.
            about_customers: Whether only callers for all customers may call it where its path
                names none.
            parameters: The names of its headers in the contract.
        """

        def decorate(view: View) -> View:
            asked = () if query is None else (ErrorCode.VALIDATION_FAILED,)
            view = self.problems(CALLER_PROBLEMS, UPSTREAM_PROBLEMS, asked, problems)(view)
            view = self.response(200, answer(), example=example_of(answer))(view)
            if query is not None:
                view = self.arguments(query(), location="query")(view)
            view = requires(scope, about_customers=about_customers)(
                self.doc(operationId=_operation_id(view))(view)
            )
            self.get(rule, parameters=list(parameters))(view)
            return view

        return decorate

    def write(
        self,
        method: str,
        rule: str,
        body: RequestSchema,
        answer: type[Answer],
        scope: Scope,
        *problems: ErrorCode,
        example: Mapping[str, Any],
    ) -> Callable[[View], View]:
        """Declare a write: its method, path, body, answer, scope and problems.

        Args:
            method: The HTTP method.
            rule: The rest of the path.
            body: The schema of the body; the view gets what it loads as its first argument.
            answer: The schema of the answer.
            scope: The right that it needs.
            *problems: The problems of its own.
            example: A body.
        """

        def decorate(view: View) -> View:
            view = self.problems(WRITE_PROBLEMS, problems)(view)
            view = self.response(
                200, answer(), example=example_of(answer), headers=("Idempotent-Replayed",)
            )(view)
            view = self.arguments(body, example=example)(view)
            view = requires(scope)(self.doc(operationId=_operation_id(view))(view))
            self.route(rule, methods=[method], parameters=["IdempotencyKey", "Prefer"])(view)
            return view

        return decorate

    def problems(self, *codes: ErrorCode | Iterable[ErrorCode]) -> Callable[[View], View]:
        """Document the problems of a view: one response a status, with an example for each code."""
        listed: set[ErrorCode] = set()
        for entry in codes:
            listed |= {entry} if isinstance(entry, ErrorCode) else set(entry)

        def decorate(view: View) -> View:
            for status, entries in by_status(listed):
                if entries in SHARED:
                    view = self.alt_response(status, SHARED[entries])(view)
                    continue
                documented = response(entries)
                content = documented.pop("content")[MEDIA_TYPE]
                view = self.alt_response(status, content_type=MEDIA_TYPE, **content, **documented)(
                    view
                )
            return view

        return decorate


def _operation_id(view: View) -> str:
    first, *others = view.__name__.split("_")
    return first + "".join(map(str.capitalize, others))


class OpenBlueprint(ResourceBlueprint):
    """The blueprint of operations that need no credential."""

    ANSWER_HEADERS: ClassVar[tuple[str, ...]] = ("X-Request-Id",)
