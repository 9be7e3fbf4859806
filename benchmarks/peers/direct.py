"""A caller that uses the gateway with urllib3, or Huawei with the official SDK.

`python -m benchmarks.peers.direct sdk|urllib3 URL CALLS` prints the CPU seconds of those calls.
"""

# mypy: disable-error-code="import-not-found, import-untyped, misc"

import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import ClassVar

import urllib3
from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkcore.client import Client, ClientBuilder
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.sdk_response import SdkResponse

WARM_UP = 20  # calls
PERSON = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
}


class PushResponse(SdkResponse):
    """The answer, declared as the SDK's generator does."""

    attribute_map: ClassVar = {"error_code": "error_code", "error_msg": "error_msg"}
    openapi_types: ClassVar = dict.fromkeys(attribute_map, "str")

    def __init__(self, error_code: str, error_msg: str) -> None:
        super().__init__()
        self.error_code, self.error_msg = error_code, error_msg


def by_sdk(url: str) -> Callable[[str], None]:
    """Calls Huawei as the SDK's generated clients do."""
    partner_id, platform_id = os.environ["PARTNER_ID"], os.environ["PLATFORM_ID"]
    credentials = GlobalCredentials(os.environ["ACCESS_KEY"], os.environ["SECRET_KEY"], partner_id)
    builder = ClientBuilder(Client, GlobalCredentials.__name__)
    builder.with_http_config(HttpConfig.get_default_config()).with_credentials(credentials)
    client = builder.with_endpoint(url).build()
    client.model_package = SimpleNamespace(PushResponse=PushResponse)

    def call(customer: str) -> None:
        body = {
            "xaccountType": platform_id,
            "xaccountId": PERSON["partner_user_id"],
            "domainId": customer,
            "verifiedType": 0,
            "verifiedStatus": 2,
            "name": PERSON["full_name"],
            "identifyType": 2,
            "verifiedNumber": "E1234567",
        }
        answer = client.do_http_request(
            method="PUT",
            resource_path="/v1.0/{partner_id}/partner/customer-mgr/verified-info",
            path_params={"partner_id": partner_id},
            header_params={"Content-Type": "application/json"},
            body=body,
            response_type="PushResponse",
        )
        if answer.error_code != "CBC.0000":
            raise RuntimeError(answer)

    return call


def by_urllib3(url: str) -> Callable[[str], None]:
    """Calls the gateway."""
    pool = urllib3.connection_from_url(url)
    headers = {"Authorization": f"Bearer {os.environ['KEY']}", "Content-Type": "application/json"}
    body = json.dumps(PERSON)

    def call(customer: str) -> None:
        path = f"/v1/customers/{customer}/verifications/individual"
        answer = pool.request("POST", path, body=body, headers=headers, retries=False)
        if answer.status != 201 or answer.json()["status"] != "VERIFIED":
            raise RuntimeError(answer.data)

    return call


def main() -> None:
    """Make the calls; the warm-up calls do not count."""
    how, url, calls = sys.argv[1:]
    call = {"sdk": by_sdk, "urllib3": by_urllib3}[how](url)
    customers = (f"direct-{os.getpid()}-{number}" for number in itertools.count())
    for customer in itertools.islice(customers, WARM_UP):
        call(customer)
    begun = time.process_time()
    for customer in itertools.islice(customers, int(calls)):
        call(customer)
    sys.stdout.write(f"{time.process_time() - begun}\n")


if __name__ == "__main__":
    main()
