"""The belief of all replicas that Huawei has switched the legacy API off.

Huawei names no date, and documents no answer that announces the switch-off. A single answer can be
a fault of Huawei's API gateway. The belief therefore needs the same answer for several customers,
and one success ends it. While it holds, one submission a minute goes to the legacy API as a probe.
"""

import json
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum

from app.observability.logs import event, logger
from app.state import Sealing, State

CUSTOMERS = 3  # customers that must get the answer before it is believed
PROBE_INTERVAL = 50.0  # seconds; less than a minute, as the next submission comes a little later
# Seconds until a suspicion expires after the first sighting, and a belief after the last probe that
# confirmed it. Without an expiry, a belief would last forever if no caller sends what only the
# legacy API accepts, because no probe would be sent.
KEPT = 24 * 3600.0

_log = logger("switch_off")


class Stage(IntEnum):
    """How certain it is that Huawei has switched the legacy API off."""

    SERVED = 0  # no evidence
    SUSPECTED = 1  # fewer customers than needed got the answer: the API is still called
    BELIEVED = 2  # enough customers got the answer: the API is only probed
    PROVEN = 3  # Huawei repeated the answer at least one probe interval later


@dataclass(frozen=True, slots=True)
class _Record:
    episode: str  # random: sightings of an earlier episode do not count in this one
    stage: Stage
    since: float  # Unix time of the first sighting
    believed: float  # Unix time at which the belief was formed; 0 before
    first: str  # fingerprint of the first customer

    def encoded(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class SwitchOff:
    """The belief about one account's legacy API.

    Only the stored record counts: deleting it ends the belief for all replicas. If one replica
    deletes the record between another's read and write, the belief lasts until the next probe.

    Args:
        account: The account's name.
        state: Stores the record, the sightings and the lease of the probe.
        sealing: Computes the fingerprints of customer ids.
        now: The wall clock, in seconds.
    """

    def __init__(
        self,
        account: str,
        state: State,
        sealing: Sealing,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._state = state
        self._sealing = sealing
        self._now = now
        self._name = f"switch-off:{account}"
        self._lease = f"switch-off-probe:{account}"

    @property
    def stage(self) -> Stage:
        """The present stage."""
        record = self._read()
        return record.stage if record else Stage.SERVED

    @property
    def believed_since(self) -> datetime | None:
        """The time of the first sighting; None while there is no belief."""
        record = self._read()
        if record is None or record.stage < Stage.BELIEVED:
            return None
        return datetime.fromtimestamp(record.since, UTC)

    def acquire_probe(self) -> bool:
        """Acquire the one probe of all replicas for this interval. Returns False if it is taken."""
        return self._state.add(self._lease, b"1", PROBE_INTERVAL)

    def served(self) -> None:
        """Record a success of the legacy API: end the belief."""
        if self._state.get(self._name) is None:
            return
        self._state.delete(self._name)
        self._tell(logging.WARNING, "Huawei serves the legacy API again")

    def refused(self, customer_id: str) -> Stage:
        """Record that Huawei answered a submission for this customer: no such API.

        Returns:
            The stage after this answer.
        """
        customer = self._sealing.fingerprint("switch-off", self._account, customer_id)
        record = self._read()
        if record is None:
            record = _Record(secrets.token_hex(8), Stage.SUSPECTED, self._now(), 0.0, customer)
            if self._state.add(self._name, record.encoded(), KEPT):
                self._tell(logging.WARNING, "Huawei says that the legacy API is switched off")
                return record.stage
            record = self._read() or record  # another replica was first
        if record.stage is Stage.SUSPECTED:
            if self._count(record, customer) < CUSTOMERS:
                # Not written again: another replica may have advanced it meanwhile.
                return record.stage
            record = replace(record, stage=Stage.BELIEVED, believed=self._now())
            self._state.put(self._lease, b"1", PROBE_INTERVAL)
            self._tell(logging.ERROR, "The legacy API is believed to be switched off")
        elif record.stage is Stage.BELIEVED:
            now = self._now()
            # No call takes an interval: an answer after it is to a call sent after the belief.
            if 0 <= now - record.believed < PROBE_INTERVAL:
                return record.stage
            if now < record.believed:  # the clock was put back: the interval begins again
                record = replace(record, believed=now)
            else:
                record = replace(record, stage=Stage.PROVEN)
                self._tell(logging.ERROR, "A probe confirms that the legacy API is switched off")
        self._state.put(self._name, record.encoded(), KEPT)
        return record.stage

    def _count(self, record: _Record, customer: str) -> int:
        """Add a customer to the customers of the episode. Returns their number."""
        seen = {record.first}
        for place in range(1, CUSTOMERS):
            name = f"{self._name}:{record.episode}:{place}"
            if customer not in seen and self._state.add(name, customer.encode(), KEPT):
                seen.add(customer)
                continue
            found = self._state.get(name)
            if found is not None:
                seen.add(found.decode("ascii", "replace"))
        return len(seen)

    def _read(self) -> _Record | None:
        """The record; None if there is none. A record that cannot be read is deleted."""
        found = self._state.get(self._name)
        if found is None:
            return None
        try:
            fields = json.loads(found)
            record = _Record(
                str(fields["episode"]),
                Stage(fields["stage"]),
                float(fields["since"]),
                float(fields["believed"]),
                str(fields["first"]),
            )
            datetime.fromtimestamp(record.since, UTC)
        except (LookupError, TypeError, ValueError, OverflowError, OSError, RecursionError):
            self._state.delete(self._name)
            return None
        return record

    def _tell(self, level: int, text: str) -> None:
        event(_log, level, text, account=self._account)
