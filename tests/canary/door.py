"""Drives callers' tokens, malformed HTTP, crashes, and deliberate leaks."""

from __future__ import annotations

import json
from functools import partial

from tests.canary.driver import SUBMISSIONS, Driver, at_once
from tests.canary.marked import OIDC
from tests.canary.server import CRASHES, LEAKS
from tests.canary.watched import LIMIT
from tests.support import issuer
from tests.support.timing import wait_until


def every_token(driver: Driver) -> None:
    """Send valid and invalid tokens of a cluster and of an identity provider."""
    mark = driver.markers.mark
    account = f"system:serviceaccount:{driver.secrets.service_account}:api"
    person = {
        "name": mark("name in a token", "QANARY {core} Ö"),
        "email": mark("address in a token", "qanary-{core}@example.com"),
    }
    good = partial(issuer.token, sub=account, jti=mark("token's id"), **person)
    oidc = partial(good, iss=OIDC)
    driver.perform("getCapabilities", "", key=oidc(sub=mark("OIDC subject")))  # no key set yet
    issuer.write(driver.secrets.folder)
    tokens = {
        "good": good(),
        "good, of a person": oidc(sub=mark("OIDC subject")),
        "of nobody": good(sub=mark("unknown subject")),
        "expired": good(exp=1),
        "too early": good(nbf=4_000_000_000),
        "for another audience": good(aud=mark("audience")),
        "of another issuer": good(iss=f"https://{mark('issuer')}.example"),
        "of an unknown key": good(kid=mark("key id")),
        "by a stranger": good(key=issuer.STRANGER),
        "by no algorithm": good(key=None, algorithm="none"),
        "by a shared secret": good(key="a-secret-of-more-than-thirty-two-bytes", algorithm="HS256"),
        "without an end": good(exp=...),
        "with a list": good(sub=account, iss=OIDC, aud=[[mark("audience in a list")]]),
    }
    for name, token in tokens.items():
        for place, part in enumerate(token.split(".")[1:], 1):
            if part:
                driver.markers.know(f"part {place} of a token {name}", part)
        submit = partial(
            driver.perform, "getVerification", driver.customer(), Partner_Account="token"
        )
        submit(key=token)
        submit(key=token[:-8])
        submit(key=f"{token}.{token}")
    assert driver.perform("getCapabilities", "", key=tokens["good"]) == 200
    person_key = tokens["good, of a person"]
    wait_until(lambda: driver.perform("getCapabilities", "", key=person_key) == 200, LIMIT)


def hostile_requests(driver: Driver) -> None:
    """Send malformed HTTP and other bytes."""
    mark = driver.markers.mark
    key = f"Authorization: Bearer {driver.secrets.keys['everything']}"
    name = mark("bare words")
    path = driver.operations[SUBMISSIONS[0]][1].format(customer_id=driver.customer())
    body = json.dumps(driver.bodies[SUBMISSIONS[0]])
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{key}\r\nContent-Type: application/json\r\n"
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n"
    requests = {
        "no HTTP": name,
        "no path": f"GET{name}\r\n\r\n",
        "a strange method": f"{name.lower()} / HTTP/1.1\r\nHost: x\r\n\r\n",
        "a strange version": f"GET / HTTP/{name}\r\nHost: x\r\n\r\n",
        "a strange target": f"GET {name} HTTP/1.1\r\nHost: x\r\n\r\n",
        "another host's target": f"GET http://{name}:x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "a long path": f"GET /{name * 400} HTTP/1.1\r\nHost: x\r\n\r\n",
        "a path with anything": f"GET /v1/customers/{name}%00%ff%0a{{{{7*7}}}} HTTP/1.1\r\n\r\n",
        "no colon": f"GET / HTTP/1.1\r\n{key.replace(':', '')}\r\n\r\n",
        "a strange name": f"GET / HTTP/1.1\r\n{name} : x\r\n\r\n",
        "a folded header": f"GET / HTTP/1.1\r\nX: 1\r\n {key}\r\n\r\n",
        "a control character": f"GET / HTTP/1.1\r\n{key}\x00\r\n\r\n",
        "a long header": f"GET / HTTP/1.1\r\nX: {name * 500}\r\n{key}\r\n\r\n",
        "many headers": "GET / HTTP/1.1\r\n" + f"X-{name}: {name}\r\n" * 80 + "\r\n",
        "two lengths": f"{head}Content-Length: {name}\r\nContent-Length: 4\r\n\r\n{body}",
        "a strange length": f"{head}Content-Length: {name}\r\n\r\n{body}",
        "a strange coding": f"{head}Transfer-Encoding: {name}\r\n\r\n{body}",
        "an expectation": f"{head}Expect: {name}\r\n\r\n{body}",
        "an upgrade": f"{head}Upgrade: {name}\r\nConnection: Upgrade\r\n\r\n{body}",
        "a strange chunk": f"{chunked}{name}\r\n{body}\r\n0\r\n\r\n",
        "a chunk without an end": f"{chunked}5\r\n{body}{body}",
        "a chunk's extension": f"{chunked}5;{name}={name}\r\n{body[:5]}\r\n0\r\n\r\n",
        "a trailer": f"{chunked}5\r\n{body[:5]}\r\n0\r\n{name}: {name}\r\n\r\n",
        "half a body": f"{head}Content-Length: 5000\r\n\r\n{body}",
        "nothing but a head": head,
    }  # fmt: skip
    at_once(partial(driver.raw, what, text.encode()) for what, text in requests.items())


def crashes(driver: Driver) -> None:
    """Crash over personal values: in views, hooks, upstream code, threads and libraries."""
    text = driver.markers.mark("what a crash is about", "QANARY {core} Ö")
    for kind in CRASHES:
        try:
            driver.send("POST", f"/crash/{kind}", text.encode(), key="everything")
        except OSError:
            assert kind == "stream", kind  # the connection is cut


def leaks(driver: Driver) -> None:
    """Call each deliberate leak: one for each sink."""
    for sink in LEAKS:
        text = driver.markers.mark(f"planted: {sink}", "planted-{core}")
        driver.send("POST", f"/leak/{sink}", text.encode(), key=None)
