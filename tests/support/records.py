"""Records of writes in a shared state, for tests of repeats after a crash."""

from __future__ import annotations

from dataclasses import replace

from app.writes.records import Records
from tests.support.valkey import SEALING, Valkey


def grown_old(valkey: Valkey, seconds: float, *parts: str) -> None:
    """Age every value, and the record of a write, by that many seconds.

    Args:
        valkey: The server.
        seconds: How much older they become.
        parts: The caller, the kind, the subject and the Idempotency-Key of the write.
    """
    valkey.pass_time(seconds)
    records = Records("default", valkey.state(), SEALING)
    name = records.name("key", *parts)
    record, _ = records.find(name)
    assert record is not None
    aged = replace(record, begun=record.begun - seconds, ends=record.ends - seconds)
    records.keep(name, aged)
