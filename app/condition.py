"""Metrics that are collected at each scrape: credentials, quota, legacy API, watch, webhooks."""

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.gateway import Gateway

_USABLE = ("PROVEN", "UNPROVEN", "HELD", "NONE")


class Condition(Collector):
    """Collects the metrics of a gateway's current condition.

    Args:
        gateway: Returns the gateway that serves.
        version: The gateway's version.
    """

    def __init__(self, gateway: Callable[[], Gateway], version: str) -> None:
        self._gateway = gateway
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        build = GaugeMetricFamily(
            "gateway_build_info", "Always 1; the label is the version", labels=["version"]
        )
        build.add_metric([self._version], 1)
        yield build
        yield from self._credentials()
        yield from self._accounts()
        yield from self._watches()
        yield from self._webhooks()

    def _credentials(self) -> Iterator[Metric]:
        locked = GaugeMetricFamily(
            "gateway_key_locked",
            "1 while Huawei has locked a key pair, as far as this replica knows",
            labels=["account", "pair"],
        )
        written = GaugeMetricFamily(
            "gateway_key_timestamp_seconds",
            "Time at which the files of a key pair were written (on Kubernetes: mounted)",
            labels=["account", "pair"],
        )
        ends = GaugeMetricFamily(
            "gateway_key_expiry_timestamp_seconds",
            "Time at which a temporary key pair expires",
            labels=["account", "pair"],
        )
        expiry = GaugeMetricFamily(
            "gateway_token_expiry_timestamp_seconds",
            "Time at which the token in use expires",
            labels=["account"],
        )
        usable = GaugeMetricFamily(
            "gateway_credentials_usable", "1 if a credential is usable", labels=["account"]
        )
        for name, account in self._gateway().accounts.items():
            described = account.credentials.describe()
            token = described.get("token")
            for place, pair in enumerate(described.get("key_pairs", ())):
                locked.add_metric([name, str(place)], pair["condition"] == "LOCKED")
                _add_time(written, [name, str(place)], pair.get("written_at"))
                _add_time(ends, [name, str(place)], pair.get("expires_at"))
            if token:
                _add_time(expiry, [name], token["expires_at"])
                is_usable = token["condition"] in _USABLE
            else:
                is_usable = any(pair["condition"] in _USABLE for pair in described["key_pairs"])
            usable.add_metric([name], is_usable)
        yield from (locked, written, ends, expiry, usable)

    def _accounts(self) -> Iterator[Metric]:
        quota = GaugeMetricFamily(
            "gateway_quota_calls_per_second",
            "Calls a second that Huawei allows to each of its APIs",
            labels=["account"],
        )
        retired = GaugeMetricFamily(
            "gateway_legacy_retired",
            "1 while the gateway considers the legacy API switched off by Huawei",
            labels=["account"],
        )
        gateway = self._gateway()
        for name, account in gateway.settings.accounts.items():
            quota.add_metric([name], account.quota.requests_per_second)
            choice = gateway.accounts[name].verifications.choice
            retired.add_metric([name], choice.retired_since is not None)
        yield from (quota, retired)

    def _watches(self) -> Iterator[Metric]:
        reviews = GaugeMetricFamily(
            "gateway_open_reviews",
            "Reviews that have not ended, as far as the gateway knows",
            labels=["account"],
        )
        looked = GaugeMetricFamily(
            "gateway_watch_oldest_look_timestamp_seconds",
            "Time of the look at the open review that was not looked at for longest",
            labels=["account"],
        )
        swept = GaugeMetricFamily(
            "gateway_watch_sweep_seconds",
            "Time in which all open reviews were looked at last",
            labels=["account"],
        )
        for name, account in self._gateway().accounts.items():
            if account.watcher is None:
                continue
            reviews.add_metric([name], account.reviews.count())
            if watch := account.report.read():
                looked.add_metric([name], watch.oldest_look)
                swept.add_metric([name], watch.sweep)
        yield from (reviews, looked, swept)

    def _webhooks(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "gateway_webhook_events_waiting",
            "Events that wait for their delivery to the caller's webhook by this replica",
            labels=["caller"],
        )
        oldest = GaugeMetricFamily(
            "gateway_webhook_oldest_event_seconds",
            "Age of the oldest of these events; 0 without any",
            labels=["caller"],
        )
        for name, deliveries in self._gateway().deliveries.items():
            events, seconds = deliveries.waiting
            waiting.add_metric([name], events)
            oldest.add_metric([name], seconds)
        yield from (waiting, oldest)


def _add_time(family: GaugeMetricFamily, labels: list[str], time: datetime | None) -> None:
    if time is not None:
        family.add_metric(labels, time.timestamp())
