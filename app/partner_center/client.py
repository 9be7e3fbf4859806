"""Sends operations to Partner Center for one account.

Three failures are never mixed: not reached (nothing was sent), unreadable (something answered,
but not properly), refused (a proper answer with an error code).
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from app.errors import GatewayError, Upstream
from app.partner_center.answer import Answer
from app.partner_center.clock import ClockSkew
from app.partner_center.codes import Verdict
from app.partner_center.connection import Endpoint
from app.partner_center.credentials import Credentials
from app.partner_center.exchange import Exchange
from app.partner_center.operation import Operation
from app.partner_center.signing import SdkHmacAuth, canonical_query
from app.settings import AccountSettings

MAX_TRIES = 4  # of one request, each with another credential
USER_AGENT = "partner-gateway"

# Harmless and signed: it reads the result of a customer that there is not.
PROBE = Operation(
    name="probe", method="GET", path="/v2/customers/realname-auths/result", writes=False
)


class PartnerCenter:
    """Partner Center as one account sees it.

    Args:
        name: The account's name in the configuration.
        account: Its settings.
        credentials: Signs its requests.
        observe: Is told of each exchange.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        credentials: Credentials,
        observe: Callable[[Exchange], None],
    ) -> None:
        self._name = name
        self._partner_id = account.partner_id
        self._credentials = credentials
        self._observe = observe
        self._endpoint = Endpoint(account.endpoint, account)
        self._clock = ClockSkew(name)

    def call(
        self,
        operation: Operation,
        *,
        query: Iterable[tuple[str, str]] = (),
        body: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """Send an operation and return the body of its successful answer.

        A request whose credential was refused was not processed, so it is sent again where there
        is another credential.

        Raises:
            GatewayError: the catalogue's entry for whatever went wrong.
        """
        parameters = canonical_query(query)
        tries = 0
        while True:
            tries += 1
            self._credentials.refresh(self._probe)
            use, answer = self._try(operation, parameters, body)
            failure = answer.failure
            if failure is None:
                return answer.body or {}
            if not self._may_repeat(use, answer.verdict, tries):
                raise failure

    def check(self) -> Answer:
        """Send the harmless read with the credential in use; the answer may be a refusal.

        Raises:
            GatewayError: if there is nothing to sign with, or no answer.
        """
        return self._try(PROBE, self._probe_query, None)[1]

    @property
    def _probe_query(self) -> str:
        return canonical_query([("customer_id", self._partner_id)])

    def _probe(self, signer: SdkHmacAuth) -> Verdict:
        request = signer(self._prepare(PROBE, self._probe_query, None))
        try:
            return self._send(PROBE, request).verdict
        except GatewayError:
            return Verdict.UNKNOWN

    def _try(
        self, operation: Operation, parameters: str, body: Mapping[str, Any] | None
    ) -> tuple[Any, Answer]:
        """Sign with the credential in use, send, and tell the credential what came of it."""
        request = self._prepare(operation, parameters, body)
        use = self._credentials.authorize(request)
        verdict = Verdict.UNKNOWN
        try:
            answer = self._send(operation, request)
            verdict = answer.verdict
        finally:
            self._credentials.settle(use, verdict)
        return use, answer

    def _may_repeat(self, use: Any, verdict: Verdict, tries: int) -> bool:
        if tries >= (2 if verdict is Verdict.DEAD else MAX_TRIES):
            return False
        if verdict not in (Verdict.REFUSED, Verdict.LOCKED, Verdict.DEAD):
            return False
        self._credentials.refresh(self._probe, at_once=True)
        return self._credentials.has_other(use)

    def _prepare(
        self, operation: Operation, parameters: str, body: Mapping[str, Any] | None
    ) -> PreparedRequest:
        """The request as it is to be signed: everything in it becomes part of the signature."""
        path = operation.path.format(partner_id=self._partner_id)
        request = PreparedRequest()
        request.method = operation.method
        request.url = f"{self._endpoint.url}{path}" + (f"?{parameters}" if parameters else "")
        request.headers = CaseInsensitiveDict()
        if body is not None:
            request.headers["Content-Type"] = "application/json"
            request.body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return request

    def _send(self, operation: Operation, request: PreparedRequest) -> Answer:
        """Send a signed request once."""
        # Not signed: something on the way may add to them.
        request.headers["User-Agent"] = USER_AGENT
        request.headers["Accept"] = "application/json"
        target = str(request.url).removeprefix(self._endpoint.url)
        body = request.body if isinstance(request.body, bytes) else None
        begun = time.monotonic()
        upstream, outcome = Upstream(), "OK"
        try:
            reply = self._endpoint.send(
                operation.method, target, request.headers, body, writes=operation.writes
            )
            self._clock.note(reply.headers)
            answer = Answer.of(operation, reply)
            upstream = answer.upstream
            if answer.failure is not None:
                outcome = answer.failure.code.name
            return answer
        except GatewayError as error:
            outcome = error.code.name
            raise
        finally:
            self._observe(Exchange.since(begun, self._name, operation.name, upstream, outcome))
