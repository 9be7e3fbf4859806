"""Sends requests to Partner Center, OBS and IAM, and reads their answers.

The three services differ in how a request is signed and an answer is read, and not in this.
"""

import time
from collections.abc import Callable

from requests import PreparedRequest

from app.errors import GatewayError, Upstream
from app.huawei.answer import Answer
from app.huawei.pacing.breaker import Breaker, Permit, evidence_of
from app.huawei.pacing.deadline import Errand
from app.huawei.transport import Endpoint, Reply, Stream
from app.observability.exchange import Exchange, Observe, Sending
from app.settings import AccountSettings


class Service:
    """One service of Huawei, as one account uses it.

    Args:
        name: The account's name in the configuration.
        url: Scheme, host and port: the beginning of the URL of every request.
        account: The account's settings.
        observe: Receives each exchange, and before it each call that changes something.
        breaker: The circuit to the service; None if it has none.
    """

    def __init__(
        self,
        name: str,
        url: str,
        account: AccountSettings,
        observe: Observe,
        breaker: Breaker | None = None,
    ) -> None:
        self.url = url
        self._name = name
        self._observe = observe
        self._breaker = breaker
        self._endpoint = Endpoint(url, account, name=name)

    def send(
        self,
        operation: str,
        request: PreparedRequest,
        read: Callable[[Reply], Answer],
        *,
        errand: Errand,
        writes: bool = False,
        changes: bool = False,
        body: Stream | None = None,
        permit: Permit | None = None,
        customer: str | None = None,
        longest: float | None = None,
        turn: Callable[[], None] | None = None,
    ) -> Answer:
        """Send a signed request once, and read its answer. The answer may be a refusal.

        Args:
            operation: The operation's name in logs and metrics.
            request: The signed request.
            read: Reads the answer.
            errand: The caller and the deadline.
            writes: Whether a lost answer leaves the outcome unknown.
            changes: Whether the call changes something at Huawei although it may be repeated.
            body: The body of the request if it is a stream.
            permit: The circuit's permit; None if the circuit is not involved.
            customer: The customer of the request, for the circuit.
            longest: Makes the answer a download: seconds until the deadline of its body. The
                exchange that is observed then ends with the head.
            turn: Waits until the request may be sent; called once a connection is open.

        Raises:
            GatewayError: CIRCUIT_OPEN, an error of `turn`, or the failure of an exchange without
                an answer.
        """
        if permit is not None and self._breaker is not None:
            permit = self._breaker.confirm(permit, writes)
        if writes or changes:
            self._observe(Sending(account=self._name, operation=operation))
        content = request.body if isinstance(request.body, bytes) else None
        begun = time.monotonic()
        upstream, outcome, seen = Upstream(), "ABORTED", None
        try:
            reply = self._endpoint.send(
                str(request.method),
                str(request.url).removeprefix(self.url),
                request.headers,
                content if body is None else body,
                writes=writes,
                ends=errand.ends,
                longest=longest,
                turn=turn,
            )
            answer = read(reply)
            upstream, seen = answer.upstream, answer.evidence
            outcome = answer.failure.code.name if answer.failure else "OK"
            return answer
        except GatewayError as error:
            outcome = error.code.name
            # A slow caller can delay a stream, which is no evidence about Huawei.
            waited = time.monotonic() - begun if body is None else 0.0
            seen = evidence_of(error, errand, waited)
            raise
        finally:
            if self._breaker is not None:
                self._breaker.record(permit, seen, customer)
            self._observe(
                Exchange(
                    account=self._name,
                    operation=operation,
                    writes=writes,
                    seconds=time.monotonic() - begun,
                    outcome=outcome,
                    upstream=upstream,
                )
            )
