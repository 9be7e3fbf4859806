"""Sends operations to Partner Center for one account.

Three failures are never mixed: not reached (nothing was sent), unreadable (something answered,
but not properly), refused (a proper answer with an error code).
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from requests import PreparedRequest

from app.errors import GatewayError, Upstream
from app.huawei.answer import Answer
from app.huawei.codes import Verdict
from app.huawei.credentials.clock_skew import ClockSkew
from app.huawei.credentials.key_pairs import Credentials
from app.huawei.credentials.key_slot import Probe
from app.huawei.credentials.signing import SdkHmacAuth, canonical_query
from app.huawei.operation import Operation
from app.huawei.pacing import evidence
from app.huawei.pacing.breaker import Breaker, Permit
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.quota import Quota
from app.huawei.pacing.retry import Retries
from app.huawei.review_result import PROBE
from app.huawei.transport import USER_AGENT, Endpoint
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
        observe: Is told of each exchange.
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
        self._calls_per_second = account.quota.requests_per_second
        self._credentials = credentials
        self._state = state
        self._observe = observe
        self._endpoint = Endpoint(account.endpoint, account, name=name)
        self._clock = ClockSkew(name)
        self._breaker = Breaker(
            name, account.reliability.breaker_failures, account.reliability.breaker_pause
        )
        self._retries = Retries(account.reliability.tries)
        self._quotas: dict[tuple[str, str], Quota] = {}
        self._quotas_lock = threading.Lock()

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
        """Send the harmless read with the credential in use; the answer may be a refusal.

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
                self._quota(PROBE).wait(own.errand, write=False)
                return self._send(own, signer(self._prepare(own))).verdict
            except GatewayError:
                return Verdict.UNKNOWN

        return probe

    def _quota(self, operation: Operation) -> Quota:
        """The queue in front of the operation's API."""
        api = (operation.method, operation.path)
        with self._quotas_lock:
            if api not in self._quotas:
                self._quotas[api] = Quota(
                    self._name,
                    " ".join(api),
                    operation.queue or operation.name,
                    self._calls_per_second,
                    self._state,
                )
            return self._quotas[api]

    def _try(self, call: _Call, uses: list[Any]) -> Answer:
        """Sign with a credential not among `uses`, add it there, send, and tell it the outcome."""
        operation, errand = call.operation, call.errand
        # Where there is nothing to sign with, it is said at once and not after the wait.
        self._with_a_look(call, self._credentials.ensure_usable)
        self._quota(operation).wait(errand, operation.writes)
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
        request.url = f"{self._endpoint.url}{path}{query}"
        request.headers = {}  # type: ignore[assignment]  # all the names are ours
        if call.body is not None:
            request.headers["Content-Type"] = "application/json"
            request.body = _encode(call.body)
        return request

    def _send(self, call: _Call, request: PreparedRequest) -> Answer:
        """Send a signed request once, and tell the circuit what came of it."""
        operation = call.operation
        permit = call.permit and self._breaker.confirm(call.permit, operation.writes)
        call.tries += 1
        # Not signed: something on the way may add to them.
        request.headers["User-Agent"] = USER_AGENT
        request.headers["Accept"] = "application/json"
        target = str(request.url).removeprefix(self._endpoint.url)
        body = request.body if isinstance(request.body, bytes) else None
        begun = time.monotonic()
        upstream, outcome = Upstream(), "ABORTED"
        try:
            reply = self._endpoint.send(
                operation.method,
                target,
                request.headers,
                body,
                writes=operation.writes,
                within=call.errand.left,
            )
            self._clock.note(reply.headers)
            answer = Answer.of(operation, reply)
            upstream, failure = answer.upstream, answer.failure
            outcome = failure.code.name if failure else "OK"
            self._breaker.record(permit, evidence.of_answer(answer), call.customer)
            return answer
        except GatewayError as error:
            outcome = error.code.name
            seen = evidence.of_failure(error, call.errand, time.monotonic() - begun)
            self._breaker.record(permit, seen, call.customer)
            raise
        finally:
            self._observe(
                Exchange.since(
                    begun, self._name, operation.name, upstream, outcome, writes=operation.writes
                )
            )


def _encode(body: Mapping[str, Any]) -> bytes:
    """A body as the bytes that are signed and sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _own_part(errand: Errand) -> Errand:
    """Part of a request's time, for a harmless read on which it waits."""
    return Errand.within(min(OWN_LIMIT, errand.left), errand.caller, urgent=True)
