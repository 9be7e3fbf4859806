"""Sends requests to Partner Center, OBS and IAM, and reads their answers.

The three services differ in how a request is signed and an answer is read, and not in this.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from requests import PreparedRequest

from app.errors import GatewayError, Upstream
from app.huawei.answer import Answer
from app.huawei.pacing.breaker import Breaker, Permit, evidence_of
from app.huawei.pacing.deadline import Errand
from app.huawei.transport import Download, Endpoint, Reply, Stream
from app.observability.exchange import Exchange, Observe, Sending
from app.settings import AccountSettings

R = TypeVar("R")


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

        Raises:
            GatewayError: if the circuit is open, or there is no answer.
        """
        permit = self._confirmed(permit, writes)
        if writes or changes:
            self._observe(Sending(account=self._name, operation=operation))
        content = request.body if isinstance(request.body, bytes) else None

        def send(target: str) -> Reply:
            return self._endpoint.send(
                str(request.method),
                target,
                request.headers,
                content if body is None else body,
                writes=writes,
                within=errand.left,
            )

        call = _Call(operation, errand, writes, permit, customer, streams=body is not None)
        return self._exchanged(call, request, send, read)[0]

    def download(
        self,
        operation: str,
        request: PreparedRequest,
        read: Callable[[Reply | Download], Answer],
        *,
        errand: Errand,
        longest: float,
        permit: Permit | None = None,
    ) -> tuple[Answer, Reply | Download]:
        """Send a signed GET once, and read the head of its answer. The answer may be a refusal.

        The exchange that is observed ends with the head: the speed of the rest is the reader's.

        Args:
            operation: The operation's name in logs and metrics.
            request: The signed request.
            read: Reads the answer.
            errand: The caller and the deadline of the head.
            longest: Seconds until the deadline of the whole body.
            permit: The circuit's permit; None if the circuit is not involved.

        Returns:
            The answer; and the download, which must be closed, or the whole answer if its status
            is not 200.

        Raises:
            GatewayError: as `send` does.
        """

        def ask(target: str) -> Reply | Download:
            headers = request.headers
            return self._endpoint.download(target, headers, within=errand.left, longest=longest)

        permit = self._confirmed(permit, False)
        call = _Call(operation, errand, False, permit, None, streams=False)
        return self._exchanged(call, request, ask, read)

    def _confirmed(self, permit: Permit | None, writes: bool) -> Permit | None:
        if permit is None or self._breaker is None:
            return permit
        return self._breaker.confirm(permit, writes)

    def _exchanged(
        self,
        call: "_Call",
        request: PreparedRequest,
        send: Callable[[str], R],
        read: Callable[[R], Answer],
    ) -> tuple[Answer, R]:
        begun = time.monotonic()
        upstream, outcome, seen = Upstream(), "ABORTED", None
        try:
            reply = send(str(request.url).removeprefix(self.url))
            answer = read(reply)
            upstream, seen = answer.upstream, answer.evidence
            outcome = answer.failure.code.name if answer.failure else "OK"
            return answer, reply
        except GatewayError as error:
            outcome = error.code.name
            # A slow caller can delay a stream, which is no evidence about Huawei.
            waited = 0.0 if call.streams else time.monotonic() - begun
            seen = evidence_of(error, call.errand, waited)
            raise
        finally:
            if self._breaker is not None:
                self._breaker.record(call.permit, seen, call.customer)
            self._observe(
                Exchange(
                    account=self._name,
                    operation=call.operation,
                    writes=call.writes,
                    seconds=time.monotonic() - begun,
                    outcome=outcome,
                    upstream=upstream,
                )
            )


@dataclass(frozen=True, slots=True)
class _Call:
    """What is known of a call beside its request.

    Args:
        operation: The operation's name.
        errand: The caller and the deadline.
        writes: Whether a lost answer leaves the outcome unknown.
        permit: The circuit's permit.
        customer: The customer of the request.
        streams: Whether the body of the request is a stream.
    """

    operation: str
    errand: Errand
    writes: bool
    permit: Permit | None
    customer: str | None
    streams: bool
