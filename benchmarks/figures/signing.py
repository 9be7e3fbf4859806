"""CPU time of signing a request, beside the official SDK's signer."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from requests import PreparedRequest

from app.huawei.credentials.signing import SdkHmacAuth
from benchmarks.bench import Bench, Row, ratio
from demo.local import ACCESS_KEY, PARTNER_ID, SECRET_KEY

REPEATS = 3000
HOST = "bss-intl.myhuaweicloud.com"
PATH = f"/v1.0/{PARTNER_ID}/partner/customer-mgr/verified-info"
BODY = '{"domainId": "customer-1", "name": "ZHANG SAN", "verifiedNumber": "E1234567"}'


def _timed(sign: Callable[[Any], Any], requests: list[Any]) -> float:
    begun = time.process_time()
    for request in requests:
        sign(request)
    return (time.process_time() - begun) / len(requests)


def _sdk() -> float:
    json = {"Content-Type": "application/json"}
    requests = [
        SdkRequest("PUT", "https", HOST, PATH, None, [], dict(json), BODY) for _ in range(REPEATS)
    ]
    return _timed(Signer(GlobalCredentials(ACCESS_KEY, SECRET_KEY)).sign, requests)


def _prepared() -> PreparedRequest:
    request = PreparedRequest()
    request.method, request.url, request.body = "PUT", f"https://{HOST}{PATH}", BODY.encode()
    request.headers = {"Content-Type": "application/json"}  # type: ignore[assignment]  # as sent
    return request


def _ours() -> float:
    return _timed(SdkHmacAuth(ACCESS_KEY, SECRET_KEY), [_prepared() for _ in range(REPEATS)])


def measure(bench: Bench) -> Iterator[Row]:
    """Measure both in this process."""
    ours, sdk = bench.in_turns(_ours, _sdk)
    yield Row("CPU of a signature; official SDK's signer = 1", "", f"{ratio(ours, sdk):.2f}")
