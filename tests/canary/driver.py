"""Sends requests that contain markers, and records every answer."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from werkzeug.routing import Map

from tests.canary import marked
from tests.canary.bodies import CODE, CUSTOMER, full_body, operations
from tests.canary.marked import Secrets
from tests.canary.markers import Markers
from tests.canary.watched import LIMIT, Watched
from tests.support.sandbox_driver import SandboxDriver

Work = Callable[[], Any]
SUBMISSIONS = (
    "submitIndividualVerification",
    "submitEnterpriseVerification",
    "changeToEnterpriseVerification",
)
# Of operations that need one.
QUERIES = {
    "listBudgets": "?customer_ids={customer_id}",
    "listVerifications": "?status=IN_REVIEW",
}
MONTH = "2020-12"  # has a bill
AT_ONCE = 16
TRACEPARENT = "00-{:032x}-00f067aa0ba902b7-01"


class Driver:
    """Drives one gateway.

    Args:
        gateway: The gateway.
        sandbox: The sandbox behind the gateway.
        secrets: The credentials of its callers.
        markers: The markers in use.
        routes: The routes of the gateway's app.
    """

    def __init__(
        self,
        gateway: Watched,
        sandbox: SandboxDriver,
        secrets: Secrets,
        markers: Markers,
        routes: Map,
    ) -> None:
        self.gateway = gateway
        self.sandbox = sandbox
        self.secrets = secrets
        self.markers = markers
        self.routes = routes
        self.statuses: Counter[int] = Counter()
        self.codes: Counter[str] = Counter()
        self.succeeded: set[str] = set()
        self.known_pairs = marked.pairs(markers)  # the key pairs that the sandbox knows
        self.numbers = itertools.count()
        self._lock = threading.Lock()
        self._local = threading.local()
        mark = markers.mark
        self.customer_id = mark("customer id", "customer-{core}")
        self.attachment = mark("attachment's name", "QANARY-{core}.jpg")
        self.picture = (
            b"\xff\xd8\xff\xe1\x00\x80Exif\x00\x00GPS "
            + mark("attachment's EXIF", "QANARY {core} 31.2304N 121.4737E").encode()
            + b"\x00" * 4000
            + mark("attachment's content", "QANARY{core}").encode()
        )
        contract = self._session.get(f"{gateway.url}/openapi.json", timeout=LIMIT).json()
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for method, path, operation in operations(contract)
        }
        self.bodies = {
            name: full_body(contract, operation, markers)
            for name, (_, _, operation) in self.operations.items()
            if "application/json" in operation.get("requestBody", {}).get("content", {})
        }

    @property
    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False
        return session

    def customer(self, prefix: str = "") -> str:
        """A new customer id."""
        return f"{prefix}{self.customer_id}-{next(self.numbers)}"

    def associated(self, prefix: str = "") -> str:
        """A new customer id that Huawei lists, with a marker in each personal value.

        It is also the id of the customer's only order.
        """
        customer, number = self.customer(prefix), next(self.numbers)
        mark = self.markers.mark
        self.sandbox.customer(
            customer,
            name=f"{mark('account name at Huawei')}-{number}",
            xaccount_id=mark("partner's id at Huawei"),
            email=mark("e-mail at Huawei", "QANARY-{core}@example.com"),
            phone=mark("phone at Huawei"),
            person=mark("name at Huawei", "QANARY {core} WANG"),
        )
        user_name = mark("user of an order at Huawei")
        self.sandbox.order(customer, customer_id=customer, refunds=["-1"], user_name=user_name)
        self.sandbox.resource(customer, customer_id=customer)
        return customer

    def headers(self) -> dict[str, str]:
        """Headers that callers and proxies may send, known and unknown."""
        mark, number = self.markers.mark, next(self.numbers)
        return {
            "Idempotency-Key": f"{mark('Idempotency-Key')}-{number}",
            "X-Request-Id": mark("request id"),
            "traceparent": TRACEPARENT.format(number + 1),
            "tracestate": f"vendor={mark('tracestate')}",
            "baggage": f"user={mark('baggage')}",
            "Cookie": f"session={mark('cookie')}",
            "Forwarded": f"for={mark('forwarded')}",
            "Origin": f"https://{mark('origin')}.example",
            "Referer": f"https://shop.example/{mark('referer')}",
            "User-Agent": mark("user agent"),
            "X-Api-Key": mark("API key header"),
            "X-Forwarded-For": mark("forwarded for"),
            "X-Unknown": mark("unknown header"),
        }

    def query(self) -> str:
        return f"{self.markers.mark('query name')}={self.markers.mark('query value')}"

    def send(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        *,
        rule: str = "",
        key: str | None = "everything",
        **headers: str,
    ) -> requests.Response:
        """Send a request with markers in its headers; `key` is a caller's name or a credential."""
        sent = self.headers() | {name.replace("_", "-"): text for name, text in headers.items()}
        if key is not None:
            sent["Authorization"] = f"Bearer {self.secrets.keys.get(key, key)}"
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = self._session.request(
            method,
            f"{self.gateway.url}{path}",
            data=data,
            headers=sent,
            timeout=LIMIT,
            allow_redirects=False,
        )
        self.keep(f"{method} {rule or path} {answer.status_code}", answer)
        return answer

    def keep(self, source: str, answer: requests.Response) -> None:
        with self._lock:
            self.gateway.sinks.add("answers", source, f"{answer.headers}\n".encode())
            self.gateway.sinks.add("answers", source, answer.content)
            self.statuses[answer.status_code] += 1
            if answer.headers.get("Content-Type") == "application/problem+json" and answer.content:
                self.codes[answer.json()["code"]] += 1

    def perform(self, name: str, customer: str, data: bytes | None = None, **options: str) -> int:
        """Call an operation of the contract, with its full body by default."""
        method, path, _ = self.operations[name]
        known = {
            "customer_id": customer,
            "order_id": customer,
            "month": MONTH,
            "name": self.attachment,
            "code": "NOT_FOUND",
        }
        if data is None and name in self.bodies:
            account = options.get("Partner_Account", "legacy")
            data = self.body(name, account).replace(CUSTOMER.encode(), customer.encode())
        elif data is None and method == "PUT":
            data = self.picture
            options["Content_Type"] = "image/jpeg"
        query = QUERIES.get(name, "").format(**known)
        answer = self.send(method, path.format(**known) + query, data, rule=path, **options)
        if answer.ok:
            self.succeeded.add(name)
        return answer.status_code

    def body(self, name: str, account: str) -> bytes:
        """The full body of an operation, in the form that the account accepts."""
        body = self.bodies[name]
        if name == "createCustomer":  # a new customer, with its own id and name
            number = next(self.numbers)
            own = {key: f"{body[key]}-{number}" for key in ("partner_user_id", "account_name")}
            return json.dumps(body | own).encode()
        if account == "token":  # `auto`
            body = {key: value for key, value in body.items() if key != "partner_user_id"}
        return json.dumps(body).encode()

    def mail_code(self) -> None:
        """Let Huawei mail the code of the new customers' address."""
        self.sandbox.settings(mail_code=CODE)
        mail = {"email": self.bodies["createCustomer"]["email"]}
        self.perform("sendRegistrationCode", "", json.dumps(mail).encode())

    def learn(self) -> None:
        """Search also for the tokens that IAM issued."""
        for entry in self.sandbox.requests():
            if token := entry["headers"].get("X-Auth-Token"):
                self.markers.know(f"IAM token …{token[-8:]}", token, token[-40:])

    def raw(self, source: str, content: bytes) -> None:
        """Send arbitrary bytes and record the answer."""
        with socket.create_connection(self.gateway.address, LIMIT) as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                self.gateway.sinks.add("answers", source, answer.read())


def at_once(works: Iterable[Work]) -> list[Any]:
    """Run the functions concurrently. Returns their results."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [one.result() for one in [threads.submit(work) for work in works]]
