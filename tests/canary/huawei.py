"""Drives every fault, code and refusal of Huawei, and every way in which a credential ends."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from sandbox.codes import FAMILIES
from sandbox.faults import KINDS
from tests.canary.driver import SUBMISSIONS, Driver, Work, at_once
from tests.canary.marked import ACCOUNTS
from tests.support.accounts import replace

CHANGES = ("setBudget", "freezeCustomer", "unfreezeCustomer")
OTHERS = ("getVerification", "getCustomer", "checkRegistration", "sendRegistrationCode")
DEATHS = ("expired", "decrypt", "APIGW.0307", "CBC.0154", "IAM.0066", "IAM.0067")


def _everything_upstream(driver: Driver) -> list[Work]:
    """Make one call of each upstream operation, with a short deadline."""
    works: list[Work] = []
    for account in ACCOUNTS:
        for name in (*SUBMISSIONS, "uploadAttachment", "createCustomer", *CHANGES):
            do = partial(driver.perform, name, Partner_Account=account, Prefer="wait=1")
            works.append(partial(do, driver.customer()))
        for name in OTHERS:
            do = partial(driver.perform, name, Partner_Account=account)
            works.append(partial(do, driver.customer()))
    return works


def _parameters(kind: str, said: str) -> list[dict[str, Any]]:
    """The parameters of a kind of fault, with Huawei's text where it accepts a text."""
    known: dict[str, Any] = {
        "seconds": 0.6,
        "location": f"/{said}?{said}",
        "message": said,
        "body": {"error_msg": said, "error_code": said, "request_id": f"{said} {said}"},
        "status": 500,
        "code": "CBC.0999",
        "damage": "gbk",
        "retry_after": 1,
    }
    names = KINDS[kind].defaults
    unknown = names.keys() - known.keys()
    assert not unknown, f"fault {kind}: no value for {unknown}"
    parameters = [{name: known[name] for name in names}]
    if kind == "status":
        parameters += [{"status": 400, "body": said}, {"status": 200, "body": {"is_review": said}}]
    if kind == "code":
        codes = ("CBC.0100", "CBC.99424242", "APIG.4242")
        parameters += [{"code": code, "message": said} for code in codes]
    return parameters


def every_fault(driver: Driver) -> None:
    """Activate each fault of the sandbox on all operations, including tokens."""
    said = driver.markers.mark("Huawei's words")
    for kind in KINDS:
        for parameters in _parameters(kind, said):
            driver.sandbox.clear_faults()
            driver.sandbox.revoke_tokens()
            driver.sandbox.fault("*", kind, **parameters)
            at_once(_everything_upstream(driver))
    driver.sandbox.clear_faults()


def every_code(driver: Driver) -> None:
    """Answer with each code of Huawei, with a text that must not leave the gateway."""
    codes = [f"{family}.{number}" for family, numbers in FAMILIES.items() for number in numbers]
    codes += [f"{family}.42424242" for family in FAMILIES]
    said = driver.markers.mark("Huawei's words")
    driver.learn()
    driver.sandbox.forget_requests()
    for code in sorted(
        codes, key=lambda code: code.endswith("0101")
    ):  # codes that retire the legacy call come last
        driver.sandbox.fault("verified-info", "code", code=code, message=said)
        if code.startswith("CBC."):  # other codes suspend the key pair
            driver.sandbox.fault("send_code", "code", code=code, message=said)
            driver.sandbox.fault("create_customer", "code", code=code, message=said, count=1)
            driver.perform("createCustomer", "", Partner_Account="review", Prefer="wait=1")
            driver.sandbox.fault("freeze", "code", code=code, message=said)
            for name in ("sendRegistrationCode", "freezeCustomer"):
                driver.perform(name, driver.customer(), Partner_Account="review", Prefer="wait=1")
        submit = partial(driver.perform, SUBMISSIONS[0], Partner_Account="legacy")
        submit(driver.customer(), Prefer="wait=1")
        if code not in {entry["code"] for entry in driver.sandbox.requests("verified-info")}:
            _renew(driver, "legacy")  # the key pair is suspended
            submit(driver.customer(), Prefer="wait=3")  # half of it is for the probe of the pair
        driver.sandbox.clear_faults()
    unheard = set(codes) - {entry["code"] for entry in driver.sandbox.requests()}
    # The first such code switches the call off, and the call is not made again.
    assert unheard < {"APIGW.0101", "APIG.0101"}, unheard


def _renew(driver: Driver, account: str) -> None:
    """Mount a new key pair and add it to the sandbox."""
    pair, mark = driver.secrets.pairs[account], driver.markers.mark
    number = next(driver.numbers)
    key = mark(f"access key {number} of {account}", "QANARYAK{core}02")
    secret = mark(f"secret key {number} of {account}", "QANARY-{core}-secret-key")
    known: dict[str, Any] = {key: {"secret_key": secret}}
    extra: tuple[str, ...] = ()
    if pair.temporary:
        token = mark(f"security token {number}", "QANARY-{core}-security-token")
        known[key]["security_token"] = token
        extra = (token, "2098-01-01T00:00:00Z")
    driver.sandbox.access_keys(**driver.known_pairs, **known)
    driver.known_pairs |= known
    pair.write(key, secret, *extra)


def rotations(driver: Driver) -> None:
    """Revoke tokens, and replace passwords and keys by wrong and by new ones."""
    mark, secrets = driver.markers.mark, driver.secrets
    submit = partial(driver.perform, SUBMISSIONS[1])
    for death in DEATHS:
        driver.sandbox.revoke_tokens(death)
        submit(driver.customer(), Partner_Account="token")
    right = secrets.password.read_text()
    replace(secrets.password, mark("wrong password"))
    driver.sandbox.revoke_tokens()
    submit(driver.customer(), Partner_Account="token")
    replace(secrets.password, right)
    for name, pair in secrets.pairs.items():
        replace(pair.folder / "sk", mark(f"wrong secret key of {name}", "QANARY-{core}-secret-key"))
        driver.sandbox.access_keys()
        for _ in range(3):
            submit(driver.customer(), Partner_Account=name)
        driver.sandbox.access_keys(**driver.known_pairs)
    for name in secrets.pairs:
        _renew(driver, name)
        submit(driver.customer(), Partner_Account=name)
    locked = "ak access failed to reach the limit " + mark("Huawei's words")
    driver.sandbox.fault("verified-info", "code", code="APIGW.0301", message=locked)
    for _ in range(2):
        submit(driver.customer(), Partner_Account="legacy")
    driver.sandbox.clear_faults()
    _renew(driver, "legacy")


def refusals(driver: Driver) -> None:
    """Cause refusals before sending, and calls that never reach Huawei."""
    body = dict(driver.bodies[SUBMISSIONS[0]])
    bare = {name: value for name, value in body.items() if name != "attachments"}
    card = body | {"document": body["document"] | {"type": "ID_CARD"}}
    submit = partial(driver.perform, SUBMISSIONS[0])
    for content in (bare, card):
        data = json.dumps(content).encode()
        submit(driver.customer(), data, Partner_Account="review")
    submit(driver.customer(), Partner_Account="review", Prefer="wait=0")
    driver.sandbox.clock(7200)
    submit(driver.customer(), Partner_Account="review")
    driver.sandbox.clock(0)
    slow = partial(submit, Partner_Account="slow", Prefer="wait=3")
    at_once(partial(slow, driver.customer()) for _ in range(8))
    for _ in range(3):  # the first failure opens the circuit of this account
        driver.perform("getVerification", driver.customer(), Partner_Account="lost")
        submit(driver.customer(), Partner_Account="lost")
    driver.sandbox.settings(legacy="retired")
    submit(driver.customer(), json.dumps(bare).encode(), Partner_Account="auto")
    driver.sandbox.settings(legacy="served")
