"""Sends operations to Partner Center for one account.

Three failures are kept apart: not reached (nothing was sent), unreadable (an answer that is not
Huawei's), refused (an answer with an error code).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import simplejson  # type: ignore[import-untyped]
from requests import PreparedRequest

from app.errors import GatewayError
from app.huawei.answer import Answer
from app.huawei.call import Call
from app.huawei.codes import Verdict
from app.huawei.credentials.clock_skew import ClockSkew
from app.huawei.credentials.credentials import Credentials
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
from app.observability.exchange import Observe
from app.settings import AccountSettings
from app.state import State

MAX_CREDENTIALS = 4  # tried for one call
OWN_LIMIT = 5.0  # seconds


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
        observe: Observe,
    ) -> None:
        self._name = name
        self._partner_id = account.partner_id
        self._credentials = credentials
        self._clock = ClockSkew(name)
        self._breaker = Breaker(
            name, account.reliability.breaker_failures, account.reliability.breaker_pause
        )
        self._service = Service(name, account.endpoint, account, observe, self._breaker)
        self._url = self._service.url
        self._retries = Retries(account.reliability.tries)
        self._quotas = Quotas(name, account.quota.requests_per_second, state)

    def call(
        self,
        operation: Operation,
        *,
        errand: Errand,
        customer: str | None,
        query: Sequence[tuple[str, str]] = (),
        body: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """Send an operation and return the fields of its successful answer.

        A read that failed is sent again within its time. A write is sent again only if Huawei
        certainly processed nothing: not reached, throttled, or refused for its credential.

        Args:
            operation: The operation.
            errand: The caller and the deadline.
            customer: The customer; None if the call concerns no customer. By the customer the
                circuit knows whether failures concern more than one.
            query: The names and values of the query.
            body: The JSON body.

        Raises:
            GatewayError: the failure.
        """
        call = Call(operation, query, body, errand, customer)
        try:
            return self._retries.call(operation, errand, partial(self._through_circuit, call))
        finally:
            if call.tries:
                metrics.UPSTREAM_TRIES.labels(self._name, operation.name).observe(call.tries)

    def read(self, operation: Operation, errand: Errand, **ours: Any) -> Mapping[str, Any]:
        """Send a declared read and return its answer, in the words of the contract.

        Args:
            operation: The read.
            errand: The caller and the deadline.
            **ours: The values of the parameters, by our names.

        Raises:
            GatewayError: the failure of the call.
        """
        query, body = operation.asked(ours)
        customer = ours.get("customer_id")
        return self.call(operation, errand=errand, customer=customer, query=query, body=body)

    def check(self) -> Answer:
        """Send a probe with the credential in use. The answer may be a refusal.

        Raises:
            GatewayError: if no credential is usable, or if there is no answer.
        """
        return self._try(self._probe(Errand.within(OWN_LIMIT, "gateway")), [])

    def _through_circuit(self, call: Call) -> Mapping[str, Any]:
        """Make the call if the circuit is closed. A refused credential is replaced by another."""

        def probe(permit: Permit) -> None:
            self._try(self._probe(call.errand, permit), [])

        def work(permit: Permit) -> Mapping[str, Any]:
            call.permit = permit
            uses: list[Any] = []
            while True:
                answer = self._try(call, uses)
                if answer.failure is None:
                    return answer.fields
                if not self._may_repeat(uses, answer.verdict, call):
                    raise answer.failure

        return self._breaker.call(call.operation.writes, probe, work)

    def _probe(self, errand: Errand, permit: Permit | None = None) -> Call:
        """A probe on a part of the time of the request that waits for it."""
        own = Errand.within(min(OWN_LIMIT, errand.left), errand.caller, urgent=True)
        query = (("customer_id", self._partner_id),)
        return Call(PROBE, query, None, own, self._partner_id, permit)

    def _try_pair(self, call: Call, signer: SdkHmacAuth | None) -> Verdict:
        """Huawei's verdict on a key pair that is not in use yet; without a pair, on our clock."""
        half = Errand.within(call.errand.left / 2, call.errand.caller)  # the call needs time too
        probe = self._probe(half, call.permit)
        try:
            turn = self._quotas.of(PROBE).wait(probe.errand, write=False)
            if signer is not None:
                return self._send(probe, signer(self._prepare(probe)), turn).verdict
            self._clock.expect()
            self._send(probe, self._prepare(probe), turn)
        except GatewayError:
            return Verdict.UNKNOWN
        return self._clock.verdict

    def _try(self, call: Call, uses: list[Any]) -> Answer:
        """Sign with a credential not in `uses`, send, and report the verdict back to it."""
        while (answer := self._try_once(call, uses)) is None:
            pass
        return answer

    def _try_once(self, call: Call, uses: list[Any]) -> Answer | None:
        """The answer; None if the credential became invalid in a wait, so that nothing was sent."""
        operation, errand = call.operation, call.errand
        request = self._prepare(call)
        probe = partial(self._try_pair, call)
        use = self._credentials.authorize(request, uses, probe, errand.left)
        valid, verdict = True, Verdict.UNKNOWN

        def still_valid() -> bool:
            nonlocal valid  # another request may renew a token as soon as it was found invalid
            valid = self._credentials.is_valid(use)
            return valid

        try:
            # Last, so that no burst leaves after a wait for something else.
            turn = self._quotas.of(operation).wait(errand, operation.writes, still_valid)
            if not self._credentials.is_valid(use):
                return None
            answer = self._send(call, request, turn)
            uses.append(use)
            verdict = answer.verdict
        except GatewayError:
            if valid:
                raise
            return None
        else:
            return answer
        finally:
            self._credentials.settle(use, verdict)

    def _may_repeat(self, uses: list[Any], verdict: Verdict, call: Call) -> bool:
        if verdict in (Verdict.ACCEPTED, Verdict.UNKNOWN) or len(uses) >= MAX_CREDENTIALS:
            return False
        if call.errand.watches:
            return False
        probe = partial(self._try_pair, call)
        return self._credentials.may_repeat(uses, verdict, probe, call.errand.left)

    def _prepare(self, call: Call) -> PreparedRequest:
        """The request without its credential. A signature covers everything in it."""
        operation = call.operation
        path = operation.path.format(partner_id=self._partner_id, **operation.parts)
        query = f"?{canonical_query(call.query)}" if call.query else ""
        request = PreparedRequest()
        request.method = operation.method
        request.url = f"{self._url}{path}{query}"
        request.headers = {}  # type: ignore[assignment]  # all the names are ours
        if operation.english:
            request.headers["X-Language"] = "en_US"
        if call.body is not None:
            request.headers["Content-Type"] = "application/json"
            # simplejson writes a Decimal as a number with all its digits.
            encoded = simplejson.dumps(call.body, ensure_ascii=False, separators=(",", ":"))
            request.body = encoded.encode()
        return request

    def _send(self, call: Call, request: PreparedRequest, turn: Callable[[], None]) -> Answer:
        """Send a signed request once, in its slot of the quota."""
        operation = call.operation
        # Not signed, so that a proxy may change it.
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
            turn=turn,
        )
