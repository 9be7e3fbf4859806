"""The file of the audit trail: rotation, failures to write, and independence of the log level."""

from __future__ import annotations

import json
import logging
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from app.observability.logs import AuditFile
from demo.local import PROJECT
from tests.support.gateway import (
    INDIVIDUAL_PATH,
    PERSON,
    bearer,
)
from tests.support.gunicorn_process import failed_start
from tests.support.log import AUDIT, Log, trail
from tests.support.sandbox_driver import SandboxDriver


def _record(event: str) -> logging.LogRecord:
    return logging.LogRecord(AUDIT, logging.INFO, __file__, 1, event, (), None)


def test_the_audit_file_is_reopened_when_it_is_rotated(tmp_path: Path) -> None:
    path, old = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    handler = AuditFile(path)
    handler.handle(_record("one"))
    path.rename(old)
    handler.handle(_record("two"))
    assert (old.read_text(), path.read_text()) == ("one\n", "two\n")


def test_the_audit_file_is_continued_after_it_was_copied_and_truncated(tmp_path: Path) -> None:
    path, copy = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    handler = AuditFile(path)
    handler.handle(_record("one"))
    shutil.copy(path, copy)
    os.truncate(path, 0)
    handler.handle(_record("two"))
    assert (copy.read_text(), path.read_text()) == ("one\n", "two\n")


def test_the_audit_file_is_continued_on_a_line_of_its_own_after_a_full_disk_was_freed(
    tmp_path: Path, log: Log
) -> None:
    path = tmp_path / "audit.jsonl"
    handler = AuditFile(path)
    handler.handle(_record("before"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 2, hard))  # 2 bytes are free
    try:
        handler.handle(_record("torn"))
        handler.handle(_record("lost"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    handler.handle(_record("after"))
    handler.handle(_record("again"))
    assert path.read_text().splitlines() == ["before", "to", "after", "again"]
    failures = [line for line in log.lines if line["level"] == "ERROR"]
    assert len(failures) == 2


def test_an_audit_line_that_cannot_be_written_is_counted_and_logged(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    before = REGISTRY.get_sample_value("gateway_audit_failures_total") or 0.0
    AuditFile(Path("/dev/full")).handle(_record("lost"))
    assert REGISTRY.get_sample_value("gateway_audit_failures_total") == before + 1
    assert log.lines[-1]["event"] == "An audit line could not be written to its file"
    assert capsys.readouterr().err == ""


def test_an_audit_pipe_that_is_full_or_has_no_reader_holds_nobody_up(
    log: Log, tmp_path: Path
) -> None:
    path = tmp_path / "audit"
    os.mkfifo(path)
    handler = AuditFile(path)
    handler.handle(_record("nobody reads"))
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        handler.handle(_record("read"))
        assert os.read(reader, 100) == b"read\n"
        handler.handle(_record("long" * 64 * 1024))
        handler.handle(_record("full"))
        assert set(os.read(reader, 1024 * 1024)) <= set(b"long")
        handler.handle(_record("read again"))
        assert os.read(reader, 100) == b"\nread again\n"
    finally:
        os.close(reader)
    failures = [line["event"] for line in log.lines if line["level"] == "ERROR"]
    assert failures == ["An audit line could not be written to its file"] * 3


def test_an_audit_file_that_cannot_be_reopened_fails_no_request(
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
    assert REGISTRY.get_sample_value("gateway_audit_failures_total") == before + 2
    assert [line["outcome"] for line in trail(log)] == ["VERIFIED"]
    assert len(log.requests()) == len(sandbox.requests()) == 1


def test_the_audit_trail_does_not_depend_on_the_log_level(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("missing/audit.jsonl", "No such file or directory"),
        ("a pipe that nobody reads", "No such device or address"),
    ],
)
def test_an_audit_file_that_cannot_be_written_stops_the_start(
    config: dict[str, Any], tmp_path: Path, name: str, refusal: str
) -> None:
    os.mkfifo(tmp_path / "a pipe that nobody reads")
    config["audit"] = {"file": str(tmp_path / name)}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    assert failed_start({"GATEWAY_CONFIG": str(path)}) == (2, f"audit.file: {refusal}\n")
