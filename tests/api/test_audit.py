"""The audit trail: one line for each write, whatever became of it, and nothing personal in it."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from app import create_app
from app.observability.logs import AuditFile
from app.settings import Settings
from demo.local import PROJECT
from tests.support.accounts import with_token
from tests.support.gateway import (
    COMPANY,
    CUSTOMER,
    ENTERPRISE_PATH,
    INDIVIDUAL_PATH,
    PERSON,
    altered,
    bearer,
)
from tests.support.gunicorn_process import LIMIT, gunicorn
from tests.support.log import Log, check_silence
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import INDIVIDUAL

AUDIT = "gateway.audit"


def trail(log: Log) -> list[dict[str, Any]]:
    return [line for line in log.lines if line["logger"] == AUDIT]


def test_a_write_leaves_one_line_that_names_all_who_took_part(
    client: FlaskClient, sandbox: SandboxDriver, log: Log
) -> None:
    response = client.post(
        INDIVIDUAL_PATH, json=PERSON, headers=bearer() | {"X-Request-Id": "request-0001"}
    )
    assert response.status_code == 201
    (line,) = trail(log)
    assert len(sandbox.requests()) == 1
    assert line.pop("time").startswith("20")
    assert re.fullmatch("[0-9a-f-]{32,36}", line.pop("upstream_request_id"))
    assert line == {
        "level": "INFO",
        "logger": AUDIT,
        "event": "write",
        "request_id": "request-0001",
        "caller": "writer",
        "account": "default",
        "customer_id": CUSTOMER,
        "operation": "submit_individual",
        "backend": "legacy",
        "outcome": "VERIFIED",
        "status": 201,
        "upstream_code": "CBC.0000",
        "replayed": False,
        "reconciled": False,
    }
    check_silence(log)


def test_a_refusal_by_huawei_names_the_backend_and_the_code(
    client: FlaskClient, sandbox: SandboxDriver, log: Log
) -> None:
    sandbox.fault("verified-info", "status", status=200, body='{"error_code":"CBC.5006"}')
    assert client.post(INDIVIDUAL_PATH, json=PERSON, headers=bearer()).status_code == 409
    (line,) = trail(log)
    assert (line["backend"], line["outcome"]) == ("legacy", "CUSTOMER_KIND_MISMATCH")
    assert (line["status"], line["upstream_code"]) == (409, "CBC.5006")


@pytest.mark.parametrize(
    ("key", "body", "outcome", "caller"),
    [
        ("nobody-knows", PERSON, "UNAUTHENTICATED", None),
        ("reader-key", PERSON, "FORBIDDEN", "reader"),
        ("writer-key", {"full_name": "ZHANG SAN"}, "VALIDATION_FAILED", "writer"),
    ],
)
def test_an_attempt_that_is_refused_here_is_a_line_too(
    client: FlaskClient, log: Log, key: str, body: dict[str, Any], outcome: str, caller: str | None
) -> None:
    client.post(INDIVIDUAL_PATH, json=body, headers=bearer(key))
    (line,) = trail(log)
    assert (line["outcome"], line.get("caller")) == (outcome, caller)
    assert "upstream_code" not in line
    check_silence(log)


def test_a_replay_and_a_reconciled_write_are_told_apart(
    settings: Settings, sandbox: SandboxDriver, log: Log
) -> None:
    client = create_app(altered(settings, timeouts={"read": 0.5})).test_client()
    keyed = bearer() | {"Idempotency-Key": "one"}
    sandbox.fault("verified-info", "hang", count=1)
    sandbox.fault("result", "status", status=200, body={}, count=3)  # it shows late
    client.post(INDIVIDUAL_PATH, json=PERSON, headers=keyed | {"Prefer": "wait=3"})
    for _ in range(2):
        client.post(INDIVIDUAL_PATH, json=PERSON, headers=keyed)
    told = [(line["outcome"], line["replayed"], line["reconciled"]) for line in trail(log)]
    assert told == [
        ("OUTCOME_UNKNOWN", False, False),
        ("VERIFIED", False, True),
        ("VERIFIED", True, True),
    ]


def test_a_look_at_the_result_does_not_hide_the_submission(settings: Settings, log: Log) -> None:
    fine = "Content-Type: application/json\r\nConnection: close"
    answers = [
        answer(200, "{}", fine, "X-Request-Id: before"),
        answer(200, '{"is_review": 0}', fine, "X-Request-Id: submitted"),
        answer(200, '{"review_result": 2}', fine, "X-Request-Id: looked"),
    ]
    with RawUpstream(lambda connection: connection.sendall(answers.pop(0))) as upstream:
        changes = {"verification": {"backend": "review"}, "endpoint": upstream.url}
        client = create_app(altered(settings, **changes)).test_client()
        assert client.post(INDIVIDUAL_PATH, json=INDIVIDUAL, headers=bearer()).status_code == 201
    (line,), (request,) = trail(log), log.requests()
    assert answers == []
    assert line["upstream_request_id"] == request["upstream_request_id"] == "submitted"
    assert request["tries"] == 1


def test_where_the_answer_was_lost_the_look_is_not_taken_for_it(
    settings: Settings, sandbox: SandboxDriver, log: Log
) -> None:
    changes = {"verification": {"backend": "review"}, "timeouts": {"read": 0.5}}
    client = create_app(altered(settings, **changes)).test_client()
    sandbox.settings(is_review=0)
    sandbox.fault("individual", "hang", count=1)
    assert client.post(INDIVIDUAL_PATH, json=INDIVIDUAL, headers=bearer()).status_code == 201
    (line,), (request,) = trail(log), log.requests()
    assert line["reconciled"] is True
    assert "upstream_request_id" not in line
    assert "upstream_request_id" not in request
    assert request["tries"] == 1
    assert len(sandbox.requests("result")) == 2  # before the submission, and after it


def test_a_token_asked_for_on_the_way_is_not_what_a_read_is_about(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path, log: Log
) -> None:
    client = create_app(with_token(settings, tmp_path, sandbox.url)).test_client()
    sandbox.fault("token", "code", code="IAM.0011", status=403)
    assert client.post(INDIVIDUAL_PATH, json=PERSON, headers=bearer()).status_code == 503
    (line,), (request,) = trail(log), log.requests()
    assert "upstream_code" not in line
    assert "tries" not in request


def test_what_writes_nothing_leaves_no_line(client: FlaskClient, log: Log) -> None:
    check = f"{ENTERPRISE_PATH}?validate_only=true"
    assert client.post(check, json=COMPANY, headers=bearer()).status_code == 200
    assert client.get(f"/v1/customers/{CUSTOMER}/verification", headers=bearer()).status_code == 200
    for path in ("/v1/capabilities", "/v1/errors", "/livez", "/nowhere"):
        client.get(path, headers=bearer())
    assert client.options(INDIVIDUAL_PATH, headers=bearer()).status_code == 405
    assert trail(log) == []


def test_every_operation_that_writes_is_audited(app: Flask, log: Log) -> None:
    values = {"customer_id": CUSTOMER, "name": "page.png"}
    client, asked = app.test_client(), 0
    for rule in app.url_map.iter_rules():
        for method in {"POST", "PUT", "PATCH", "DELETE"} & (rule.methods or set()):
            _, path = rule.build({name: values[name] for name in rule.arguments}) or ("", "")
            client.open(path, method=method, json={}, headers=bearer())
            asked += 1
    assert asked >= 4
    assert len(trail(log)) == asked


def _record(event: str) -> logging.LogRecord:
    return logging.LogRecord(AUDIT, logging.INFO, __file__, 1, event, (), None)


def test_the_file_is_opened_anew_when_it_is_rotated(tmp_path: Path) -> None:
    path, old = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    handler = AuditFile(path)
    handler.handle(_record("one"))
    path.rename(old)
    handler.handle(_record("two"))
    handler.close()
    assert (old.read_text(), path.read_text()) == ("one\n", "two\n")


def test_a_line_that_cannot_be_written_is_counted_and_said(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    before = REGISTRY.get_sample_value("gateway_audit_failures_total") or 0.0
    handler = AuditFile("/dev/full")
    handler.handle(_record("lost"))
    with Path(os.devnull).open("wb") as drain:  # for what it still holds at its end
        assert handler.stream
        os.dup2(drain.fileno(), handler.stream.fileno())
    handler.close()
    assert REGISTRY.get_sample_value("gateway_audit_failures_total") == before + 1
    assert log.lines[-1]["event"] == "An audit line could not be written to its file"
    assert capsys.readouterr().err == ""


def test_a_file_that_cannot_be_opened_any_more_ends_no_request(
    client: FlaskClient, sandbox: SandboxDriver, log: Log, tmp_path: Path
) -> None:
    folder = tmp_path / "audit"
    folder.mkdir()
    handler = AuditFile(folder / "audit.jsonl")
    logging.getLogger(AUDIT).addHandler(handler)
    before = REGISTRY.get_sample_value("gateway_audit_failures_total") or 0.0
    try:
        shutil.rmtree(folder)
        assert client.post(INDIVIDUAL_PATH, json=PERSON, headers=bearer()).status_code == 201
    finally:
        logging.getLogger(AUDIT).removeHandler(handler)
        handler.close()
    assert REGISTRY.get_sample_value("gateway_audit_failures_total") == before + 1
    assert [line["outcome"] for line in trail(log)] == ["VERIFIED"]
    assert len(log.requests()) == len(sandbox.requests()) == 1


def test_a_move_to_review_that_fails_names_the_backend_it_went_to(
    settings: Settings, sandbox: SandboxDriver, log: Log
) -> None:
    settings = altered(settings, verification={"backend": "auto", "review_share": 0})
    client = create_app(settings).test_client()
    sandbox.settings(legacy="retired")
    sandbox.fault("individual", "code", code="CBC.5006", status=400)
    assert client.post(INDIVIDUAL_PATH, json=INDIVIDUAL, headers=bearer()).status_code == 409
    (line,) = trail(log)
    assert (line["backend"], line["outcome"]) == ("review", "CUSTOMER_KIND_MISMATCH")


def test_the_level_of_the_log_does_not_thin_the_trail_out(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    program = (
        "import logging, logging.config, pathlib\n"
        "from app.observability import logs\n"
        f"logging.config.dictConfig(logs.configuration('ERROR', pathlib.Path({str(path)!r})))\n"
        "logs.event(logging.getLogger(logs.AUDIT), logging.INFO, 'write', outcome='VERIFIED')\n"
        "logs.event(logs.logger('request'), logging.INFO, 'request')\n"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["outcome"] == "VERIFIED"
    assert json.loads(path.read_text()) == json.loads(line)


def test_a_trail_that_cannot_be_written_is_found_at_start(
    config: dict[str, Any], tmp_path: Path
) -> None:
    config["audit"] = {"file": str(tmp_path / "missing" / "audit.jsonl")}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    with gunicorn(environment={"GATEWAY_CONFIG": str(path)}) as process:
        _, said = process.communicate(timeout=LIMIT)
    assert (process.returncode, said) == (2, "audit.file: No such file or directory\n")
