"""Sends operations to Partner Center for one account.

Three failures are never mixed: not reached (nothing was sent), unreadable (something answered,
but not properly), refused (a proper answer with an error code).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from requests import PreparedRequest

from app.errors import GatewayError
from app.huawei.answer import Answer
from app.huawei.codes import Verdict
from app.huawei.credentials.clock_skew import ClockSkew
from app.huawei.credentials.key_pairs import Credentials
from app.huawei.credentials.key_slot import Probe
from app.huawei.credentials.signing import SdkHmacAuth, canonical_query
from app.huawei.operation import Operation
from app.huawei.pacing.breaker import Breaker, Permit
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.quota import Quotas
from app.huawei.pacing.retry import Retries
from app.huawei.review_result import PROBE
from app.huawei.service import Service
from app.huawei.transport import Reply
from app.observability import metrics
from app.observability.exchange import Exchange
from app.settings import AccountSettings
from app.state import State

T = TypeVar("T")

MAX_CREDENTIALS = 4  # tried for one call
OWN_LIMIT = 5.0  # seconds


@dataclass(slots=True)
class _Call:
    """An operation on its way."""

    operation: Operation
    parameters: str
    body: Mapping[str, Any] | None
    errand: Errand
    customer: str | None  # for whom; never logged or counted
    permit: Permit | None = None  # the circuit's; without one it is not asked and told nothing
    tries: int = 0  # on the network


class PartnerCenter:
    """Partner Center as one account sees it.

    Args:
        name: The account's name in the configuration.
        account: Its settings.
        credentials: Signs its requests.
        state: Counts the calls of all replicas.
        observe: Receives each exchange.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        credentials: Credentials,
        state: State,
        observe: Callable[[Exchange], None],
    ) -> None:
        self._name = name
        self._partner_id = account.partner_id
        self._credentials = credentials
        self._clock = ClockSkew(name)
        self._breaker = Breaker(
            name, account.reliability.breaker_failures, account.reliability.breaker_pause
        )
        self._service = Service(name, account.endpoint, account, observe, self._breaker)
        self._retries = Retries(account.reliability.tries)
        self._quotas = Quotas(name, account.quota.requests_per_second, state)

    def call(
        self,
        operation: Operation,
        *,
        errand: Errand,
        customer: str | None,
        query: Iterable[tuple[str, str]] = (),
        body: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """Send an operation and return the fields of its successful answer.

        A read that failed is sent again within its time; a write only where it is certain that
        nothing was processed: not reached, throttled, or refused for its credential.

        Args:
            operation: What to call.
            errand: For whom, and until when.
            customer: For which customer; None if for none. The circuit tells by it whether a
                failure is one customer's only.
            query: The query's names and values.
            body: The JSON body.

        Raises:
            GatewayError: the catalogue's entry for whatever went wrong.
        """
        call = _Call(operation, canonical_query(query), body, errand, customer)
        try:
            return self._retries.call(operation, errand, lambda: self._call_through_breaker(call))
        finally:
            if call.tries:
                metrics.UPSTREAM_TRIES.labels(self._name, operation.name).observe(call.tries)

    def check(self) -> Answer:
        """Send a probe with the credential in use. The answer may be a refusal.

        Raises:
            GatewayError: if there is nothing to sign with, or no answer.
        """
        errand = Errand.within(OWN_LIMIT, "gateway", urgent=True)
        return self._try(self._probe(errand), [])

    def _call_through_breaker(self, call: _Call) -> Mapping[str, Any]:
        def probe(permit: Permit) -> None:
            self._try(self._probe(_own_part(call.errand), permit), [])

        def work(permit: Permit) -> Mapping[str, Any]:
            call.permit = permit
            return self._call_with_credentials(call)

        return self._breaker.call(call.operation.writes, probe, work)

    def _call_with_credentials(self, call: _Call) -> Mapping[str, Any]:
        uses: list[Any] = []
        while True:
            self._credentials.refresh(self._probe_within(call))
            answer = self._try(call, uses)
            failure = answer.failure
            if failure is None:
                return answer.fields
            if not self._may_repeat(uses, answer.verdict, call):
                raise failure

    def _probe(self, errand: Errand, permit: Permit | None = None) -> _Call:
        query = canonical_query([("customer_id", self._partner_id)])
        return _Call(PROBE, query, None, errand, self._partner_id, permit)

    def _probe_within(self, call: _Call) -> Probe:
        """Tries a pair that is not in use yet, on the time of the request that found it."""

        def probe(signer: SdkHmacAuth) -> Verdict:
            own = self._probe(_own_part(call.errand), call.permit)
            try:
                self._quotas.of(PROBE).wait(own.errand, write=False)
                return self._send(own, signer(self._prepare(own))).verdict
            except GatewayError:
                return Verdict.UNKNOWN

        return probe

    def _try(self, call: _Call, uses: list[Any]) -> Answer:
        """Sign with a credential not among `uses`, add it there, send, and tell it the outcome."""
        operation, errand = call.operation, call.errand
        # Without a usable credential the request fails at once, and not after the wait.
        self._with_a_look(call, self._credentials.ensure_usable)
        self._quotas.of(operation).wait(errand, operation.writes)
        request = self._prepare(call)
        use = self._with_a_look(
            call, lambda: self._credentials.authorize(request, uses, errand.left)
        )
        uses.append(use)
        verdict = Verdict.UNKNOWN
        try:
            errand.check(operation.writes)
            answer = self._send(call, request)
            verdict = answer.verdict
        finally:
            self._credentials.settle(use, verdict)
        return answer

    def _with_a_look(self, call: _Call, work: Callable[[], T]) -> T:
        """Do what fails where there is nothing to sign with; changed files may help it."""
        try:
            return work()
        except GatewayError:
            if not self._credentials.refresh(self._probe_within(call), at_once=True):
                raise
            return work()

    def _may_repeat(self, uses: list[Any], verdict: Verdict, call: _Call) -> bool:
        if verdict in (Verdict.ACCEPTED, Verdict.UNKNOWN) or len(uses) >= MAX_CREDENTIALS:
            return False
        self._credentials.refresh(self._probe_within(call), at_once=True)
        return self._credentials.may_repeat(uses, verdict)

    def _prepare(self, call: _Call) -> PreparedRequest:
        """The request as it is to be signed: everything in it becomes part of the signature."""
        path = call.operation.path.format(partner_id=self._partner_id)
        query = f"?{call.parameters}" if call.parameters else ""
        request = PreparedRequest()
        request.method = call.operation.method
        request.url = f"{self._service.url}{path}{query}"
        request.headers = {}  # type: ignore[assignment]  # all the names are ours
        if call.body is not None:
            request.headers["Content-Type"] = "application/json"
            request.body = _encode(call.body)
        return request

    def _send(self, call: _Call, request: PreparedRequest) -> Answer:
        """Send a signed request once."""
        operation = call.operation
        # Not signed: a proxy may add to it.
        request.headers["Accept"] = "application/json"

        def read(reply: Reply) -> Answer:
            self._clock.note(reply.headers)
            return Answer.of(operation, reply)

        call.tries += 1
        return self._service.send(
            operation.name,
            request,
            read,
            errand=call.errand,
            writes=operation.writes,
            permit=call.permit,
            customer=call.customer,
        )


def _own_part(errand: Errand) -> Errand:
    """A part of the request's time, for a probe on which the request waits."""
    return Errand.within(min(OWN_LIMIT, errand.left), errand.caller, urgent=True)


def _encode(body: Mapping[str, Any]) -> bytes:
    """A body as the bytes that are signed and sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
