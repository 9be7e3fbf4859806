"""Drives every route and every kind of malformed body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from werkzeug.routing import Rule

from tests.canary.bodies import spoiled
from tests.canary.driver import MONTH, SUBMISSIONS, Driver, Work, at_once
from tests.canary.marked import ACCOUNTS


def every_route(driver: Driver) -> None:
    """Call each route by each method, as allowed and as forbidden callers."""
    works: list[Work] = []
    body = json.dumps(driver.bodies[SUBMISSIONS[1]]).encode()
    for rule in driver.routes.iter_rules():
        path = filled(driver, rule)
        for method in rule.methods or ():
            send = partial(driver.send, method, rule=rule.rule)
            works += [
                partial(send, path),
                partial(send, path, key=None),
                partial(send, path, key="powerless"),
                partial(send, path, body, key="reader"),
                partial(send, path, key=driver.markers.mark("key of a stranger")),
                partial(send, f"{path}?{driver.query()}", body),
                partial(send, f"{path}?{driver.query()}", Accept="text/html"),
                partial(send, path, Partner_Account=driver.markers.mark("account")),
                partial(send, path, Host=driver.markers.mark("host", "qanary-{core}.example")),
            ]
        for method in ("GET", "PUT", "DELETE", driver.markers.mark("method", "QANARY-{core}")):
            works.append(partial(driver.send, method, f"{path}?{driver.query()}", body))
    nowhere = f"/{driver.markers.mark('path that is none')}"
    works += [partial(driver.send, "GET", nowhere), partial(driver.send, "POST", nowhere, body)]
    at_once(works)


def filled(driver: Driver, rule: Rule) -> str:
    """The path of a route with a marker for each of its arguments."""
    known = {
        "customer_id": driver.customer(),
        "name": driver.attachment,
        "order_id": driver.markers.mark("order id in a path"),
        "month": driver.markers.mark("month in a path"),
        "code": driver.markers.mark("error code in a path"),
    }
    missing = rule.arguments - known.keys()
    assert not missing, f"{rule}: no marker for {missing}"
    path = rule.rule
    for name in rule.arguments:
        path = path.replace(f"<{name}>", known[name])
        for converter in ("customer_id", "order_id", "month", "attachment_name", "error_code"):
            path = path.replace(f"<{converter}:{name}>", known[name])
    assert "<" not in path, f"{rule}: its converter is not known here"
    return path


def every_operation(driver: Driver) -> None:
    """Call each operation of the contract with each account until it succeeds."""
    driver.mail_code()
    driver.sandbox.bill_file(MONTH, lines=5)
    works: list[Work] = []
    for account in ACCOUNTS:
        for name in driver.operations:
            for prefix in ("", "review-instant-", "review-hold-"):
                customer = driver.associated(prefix)
                works.append(partial(driver.perform, name, customer, Partner_Account=account))
    at_once(works)
    present = datetime.now(UTC) + timedelta(hours=8)
    driver.send("GET", f"/v1/partner/bills/{present:%Y-%m}")  # a month that has no bill yet
    form = driver.markers.mark("form of an answer", "image/qanary-{core}")
    driver.send("GET", f"/v1/partner/bills/{MONTH}/lines", Accept=form)
    missing = driver.operations.keys() - driver.succeeded
    assert not missing, f"these were never answered with success: {missing}"


def unknown_events(driver: Driver) -> None:
    """Go on after an event that the gateway does not keep, and after texts that are not ids."""
    for after in ("1-1", driver.markers.mark("after")):
        driver.send("GET", f"/v1/events?after={after}")


def rejections(driver: Driver) -> None:
    """Reject a customer with a remark, which only answers about that customer may contain."""
    remark = driver.markers.mark("reviewer's remark", "QANARY {core}: the page is blurred")
    customer = driver.customer("review-reject-")
    driver.sandbox.review(customer, "rejected", remark)
    for _ in range(2):
        driver.perform("getVerification", customer, Partner_Account="review")
    assert remark in str(driver.gateway.sinks.contents)


def spoiled_bodies(driver: Driver) -> None:
    """Validate and submit bodies with one error each; nothing is sent upstream."""
    works: list[Work] = []
    for name in SUBMISSIONS:
        customer = driver.customer()
        path = driver.operations[name][1].format(customer_id=customer)
        country = driver.markers.know("country", "𠮷𡃁")
        flaws = [*spoiled(driver.bodies[name])]
        abroad = driver.bodies[name] | {"registration": {"country": country, "address": "1 Road"}}
        flaws.append(("another country", json.dumps(abroad).encode()))
        for _, content in flaws:
            works.append(partial(driver.send, "POST", path, content, Partner_Account="review"))
        check = f"{path}?validate_only=true"
        works.append(partial(driver.send, "POST", check, json.dumps(driver.bodies[name]).encode()))
        works.append(partial(driver.send, "POST", path, flaws[0][1], Content_Encoding="gzip"))
        works.append(partial(driver.send, "POST", path, flaws[0][1], Content_Type="text/plain"))
    works += _spoiled_uploads(driver)
    for _, content in spoiled(driver.bodies["createCustomer"]):
        works.append(partial(driver.send, "POST", "/v1/customers", content))
    at_once(works)


def _spoiled_uploads(driver: Driver) -> Iterator[Work]:
    _, path, _ = driver.operations["uploadAttachment"]
    text = driver.markers.mark("attachment that is none").encode()
    for name, content in (
        (driver.attachment, text),
        (driver.attachment.replace(".jpg", ".exe"), driver.picture),
        (f".{driver.attachment}", driver.picture),
        (driver.attachment, b""),
        (driver.attachment, driver.picture + text * 600_000),
    ):
        to = path.format(customer_id=driver.customer(), name=name)
        yield partial(driver.send, "PUT", to, content, rule=path)


def repeated_keys(driver: Driver) -> None:
    """Repeat an Idempotency-Key: unchanged, with another body, during a failure, and malformed."""
    key = driver.markers.mark("repeated Idempotency-Key")
    for account in ACCOUNTS:
        customer = driver.customer()
        submit = partial(driver.perform, SUBMISSIONS[0], customer, Partner_Account=account)
        at_once([partial(submit, Idempotency_Key=key)] * 3)
        other = json.dumps(driver.bodies[SUBMISSIONS[0]] | {"partner_user_id": "x"}).encode()
        submit(data=other, Idempotency_Key=key)
        submit(Idempotency_Key=f"{key}\xe9")
        submit(Idempotency_Key=key * 20)
    for _ in range(2):
        driver.perform("getVerification", driver.customer(), key="limited")
