"""A partner's program that calls the sandbox, signed by Huawei's own SDK."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

ACCESS_KEY = "SANDBOXACCESSKEY0001"
SECRET_KEY = "sandbox-secret-key-0001-not-a-secret"
PARTNER_ID = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
VERIFIED_INFO = f"/v1.0/{PARTNER_ID}/partner/customer-mgr/verified-info"
V2 = "/v2/customers/realname-auths"
SUCCESS = {"error_code": "CBC.0000", "error_msg": "success"}
WRONG = "verify aksk signature fail"  # the text of a refused signature


def verified_info(**changes: Any) -> dict[str, Any]:
    """A valid body of verified-info with changed fields; None removes a field."""
    body = {
        "xaccountType": "PARTNER01",
        "xaccountId": "shop-1",
        "domainId": "customer-1",
        "verifiedType": 1,
        "verifiedStatus": 2,
        "name": "Example Company",
        "identifyType": 3,
        "verifiedNumber": "432100000001234",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def individual(**changes: Any) -> dict[str, Any]:
    """A valid body of the individual review."""
    body = {
        "customer_id": "customer-1",
        "identify_type": 0,
        "verified_type": 3,
        "verified_file_url": ["981/page.jpg", "981/holding.jpg"],
        "name": "ZHANG SAN",
        "verified_number": "E1234567",
        "change_type": -1,
        "xaccount_type": "PARTNER01",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def enterprise(**changes: Any) -> dict[str, Any]:
    """A valid body of the enterprise review."""
    body = {
        "customer_id": "customer-1",
        "identify_type": 1,
        "certificate_type": 0,
        "verified_file_url": ["77/licence.jpg"],
        "corp_name": "Example Trading Co., Ltd.",
        "verified_number": "91330000X",
        "reg_country": "CN",
        "reg_address": "1 Example Road",
        "xaccount_type": "PARTNER01",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


class Partner:
    """Sends signed calls to one sandbox."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = url
        self.session = session

    def sign(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, Any]] | None = None,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        access_key: str = ACCESS_KEY,
        secret_key: str = SECRET_KEY,
        at: datetime | None = None,
    ) -> requests.PreparedRequest:
        """Prepare a call signed by the SDK's signer, byte for byte as the SDK would send it."""
        moment = at or datetime.now(UTC)
        named = {"X-Sdk-Date": moment.strftime("%Y%m%dT%H%M%SZ"), **(headers or {})}
        signed = Signer(GlobalCredentials(access_key, secret_key)).sign(
            SdkRequest(
                method=method,
                schema="http",
                host=urlsplit(self.url).netloc,
                resource_path=path,
                query_params=list(query or []),
                header_params=named,
                body=body,
            )
        )
        prepared = requests.Request(method, self.url, data=body or None).prepare()
        prepared.headers.update(signed.header_params)
        prepared.url = self.url + signed.uri
        return prepared

    def send(self, prepared: requests.PreparedRequest, timeout: float = 10) -> requests.Response:
        """Send a prepared call as it is."""
        return self.session.send(prepared, timeout=timeout, allow_redirects=False)

    def call(
        self, method: str, path: str, document: Any = None, *, timeout: float = 10, **how: Any
    ) -> requests.Response:
        """Sign and send a call with a JSON body."""
        if document is not None:
            how["body"] = json.dumps(document).encode()
            how["headers"] = {"Content-Type": "application/json", **how.get("headers", {})}
        return self.send(self.sign(method, path, **how), timeout)

    def verify(self, **changes: Any) -> requests.Response:
        """Send a verified-info."""
        return self.call("PUT", VERIFIED_INFO, verified_info(**changes))

    def verify_with(self, secret_key: str) -> requests.Response:
        """Send a verified-info, signed with another secret key."""
        return self.call("PUT", VERIFIED_INFO, verified_info(), secret_key=secret_key)

    def result(self, customer_id: str) -> requests.Response:
        """Read the result of a customer's review."""
        return self.call("GET", f"{V2}/result", query=[("customer_id", customer_id)])

    def submit(self, **changes: Any) -> requests.Response:
        """Submit an individual for review."""
        return self.call("POST", f"{V2}/individual", individual(**changes))
