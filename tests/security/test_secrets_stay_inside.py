"""No secret appears in logs, metrics, answers, repr() or the shared state."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml
from flask.testing import FlaskClient
from prometheus_client import generate_latest

from app import create_app
from app.observability.logs import JsonFormatter
from app.settings import Settings
from demo.local import Local, free_port
from tests.support.accounts import PASSWORD, Mounted, replace
from tests.support.gateway import CUSTOMER, PERSON, bearer, configuration, digest
from tests.support.reachable import reachable
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import PASSWORD as STATE_PASSWORD
from tests.support.valkey import Valkey

ACCESS_KEY = "MARKERACCESSKEY00001"
SECRET_KEY = "marker-secret-key-0123456789"
SECURITY_TOKEN = "marker-security-token-0123456789"
NEW_SECRET_KEY = "marker-new-secret-key-0123456789"
WRONG_SECRET_KEY = "marker-wrong-secret-key-0123456789"
WRONG_PASSWORD = "marker-wrong-password-0123456789"
CALLER_KEY = "marker-caller-key-0123456789"
STATE_KEY = "marker-state-key-0123456789-0123456789"
MARKERS = {
    SECRET_KEY,
    SECURITY_TOKEN,
    NEW_SECRET_KEY,
    WRONG_SECRET_KEY,
    WRONG_PASSWORD,
    CALLER_KEY,
    STATE_KEY,
    PASSWORD,
    STATE_PASSWORD,
    "SDK-HMAC-SHA256",  # part of every Authorization value of the gateway
    "Signature=",
}
PATH = f"/v1/customers/{CUSTOMER}/verifications/individual"
DEATHS = ["expired", "decrypt", "APIGW.0307", "CBC.0154", "IAM.0066", "IAM.0067"]
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("html", {"status": 502}),
    ("reset", {}),
    ("bad_json", {}),
    ("truncated", {}),
    ("throttled", {"retry_after": 0}),
    ("code", {"code": "CBC.99009999"}),
]


@dataclass(frozen=True)
class Mounts:
    """The mounted secrets of both accounts."""

    pair: Mounted
    password: Path


def marked(folder: Path, sandbox_url: str, valkey: Valkey) -> tuple[dict[str, Any], Mounts]:
    """A configuration whose every secret is a marker: one account signs, one has tokens."""
    document = configuration(folder, sandbox_url)
    mounts = Mounts(Mounted(folder / "pair", temporary=True), folder / "password")
    mounts.pair.write(ACCESS_KEY, SECRET_KEY, SECURITY_TOKEN, "2099-01-01T00:00:00Z")
    mounts.password.write_text(PASSWORD)
    iam = {"domain": "partner", "user": "partner", "password_file": str(mounts.password)}
    files = {key: str(path) for key, path in mounts.pair.settings.items()}
    document["accounts"]["default"] |= {"credentials": [files]}
    document["accounts"]["second"] |= {
        "authentication": "token",
        "credentials": [],
        "iam": {"endpoint": sandbox_url, **iam},
    }
    document["callers"]["writer"] |= {
        "keys_sha256": [digest(CALLER_KEY)],
        "scopes": ["verifications:read", "verifications:write", "operations:read"],
    }
    (folder / "state-key").write_text(STATE_KEY)
    document["state"] = {"url": valkey.url, "key_file": str(folder / "state-key")}
    return document, mounts


def know_markers(sandbox: SandboxDriver) -> None:
    sandbox.settings(requests_per_second=None)
    pair = {"secret_key": SECRET_KEY, "security_token": SECURITY_TOKEN}
    sandbox.access_keys(**{ACCESS_KEY: pair})


class Everything:
    """The output of the gateway, and the tokens that it must not contain."""

    def __init__(self, sandbox: SandboxDriver) -> None:
        self.sandbox = sandbox
        self.texts: list[str] = []

    def check(self) -> None:
        """Assert that the output has no marker, token or signature."""
        tokens = {
            entry["headers"]["X-Auth-Token"]
            for entry in self.sandbox.requests()
            if "X-Auth-Token" in entry["headers"]
        }
        assert tokens
        text = "\n".join(self.texts)
        assert len(text) > 1000
        for secret in (*MARKERS, *tokens, *(token[:40] for token in tokens)):
            assert secret not in text, secret[:12]


def drive(send: Any, sandbox: SandboxDriver, mounts: Mounts) -> list[int]:
    """Cause successes, faults, expired tokens, refusals and rotations. Returns the statuses."""
    statuses = [send(), send("second")]
    for death in DEATHS:
        sandbox.revoke_tokens(death)
        statuses.append(send("second"))
    for kind, parameters in FAULTS:
        for account in ("default", "second"):
            sandbox.fault("verified-info", kind, count=1, **parameters)
            statuses.append(send(account))
    sandbox.fault("token", "html", count=1, status=502)
    sandbox.revoke_tokens()
    statuses += [send("second"), send("second")]

    replace(mounts.password, WRONG_PASSWORD)
    sandbox.revoke_tokens()
    statuses += [send("second"), send("second")]

    replace(mounts.pair.folder / "sk", WRONG_SECRET_KEY)  # half-written
    sandbox.access_keys(MARKERNEWKEY={"secret_key": NEW_SECRET_KEY})
    statuses += [send(), send(), send()]
    return statuses


def test_no_secret_leaves_one_process_with_every_logger_at_debug(
    tmp_path: Path, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    document, mounts = marked(tmp_path, sandbox.url, mortal)
    know_markers(sandbox)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    found = Everything(sandbox)
    try:
        client = create_app(Settings.model_validate(document)).test_client()
        statuses = drive(sender(client, found), sandbox, mounts)
        assert {201, 502, 503, 504} <= set(statuses)
        mortal.kill()
        drive(sender(client, found), sandbox, mounts)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {"gateway.credentials", "gateway.request", "urllib3.connectionpool"} <= {
        line["logger"] for line in lines
    }
    found.texts += [log.getvalue(), generate_latest().decode()]
    found.check()


def sender(client: FlaskClient, found: Everything) -> Any:
    """A function that sends a submission and records the answer."""

    def send(account: str = "default") -> int:
        headers = bearer(CALLER_KEY) | {"Partner-Account": account}
        answers = (
            client.post(PATH, json=PERSON, headers=headers),
            client.get("/v1/accounts", headers=headers),
            client.get("/readyz"),
        )
        found.texts += [f"{one.headers}{one.get_data(as_text=True)}" for one in answers]
        parts = reachable(client.application.extensions["partner_gateway"])
        found.texts += [repr(one) for one in parts]
        return answers[0].status_code

    return send


def test_valkey_reveals_no_secret(tmp_path: Path, sandbox: SandboxDriver, valkey: Valkey) -> None:
    document, mounts = marked(tmp_path, sandbox.url, valkey)
    know_markers(sandbox)
    found = Everything(sandbox)
    client = create_app(Settings.model_validate(document)).test_client()

    def send(account: str = "default") -> int:
        status: int = sender(client, Everything(sandbox))(account)
        found.texts += [f"{key!r}={value!r}" for key, value in valkey.values().items()]
        return status

    drive(send, sandbox, mounts)
    assert ACCESS_KEY not in "".join(found.texts)
    found.check()


def test_no_secret_leaves_gunicorn_at_log_level_debug(tmp_path: Path, valkey: Valkey) -> None:
    port = free_port()
    document, mounts = marked(tmp_path, f"http://127.0.0.1:{port}", valkey)
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(document))
    environment = {"GATEWAY_CONFIG": str(path), "LOG_LEVEL": "DEBUG"}
    log_path = tmp_path / "log"
    with (
        log_path.open("wb") as log,
        Local(sandbox_port=port, log=log, environment=environment) as local,
        requests.Session() as session,
    ):
        session.trust_env = False
        sandbox = SandboxDriver(local.sandbox_url)
        know_markers(sandbox)
        found = Everything(sandbox)

        def send(account: str = "default") -> int:
            headers: Mapping[str, str] = bearer(CALLER_KEY) | {"Partner-Account": account}
            answer = session.post(f"{local.url}{PATH}", json=PERSON, headers=headers, timeout=30)
            found.texts.append(f"{answer.headers}{answer.text}")
            return answer.status_code

        statuses = drive(send, sandbox, mounts)
        assert {201, 502, 503, 504} <= set(statuses)
        found.texts.append(session.get(local.metrics_url, timeout=10).text)
        found.check()
    text = log_path.read_text()
    assert '"level":"ERROR"' in text
    assert not [secret for secret in MARKERS if secret in text]
    assert not re.search("MII[A-Za-z0-9_-]{20}", text)
