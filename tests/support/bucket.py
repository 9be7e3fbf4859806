"""A partner's bucket: calls the sandbox's OBS, signed by botocore."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

OBS_ACCESS_KEY = "SANDBOXOBSKEY0000001"
OBS_SECRET_KEY = "sandbox-obs-secret-not-a-secret"
REGION = "ap-southeast-1"


class UnsignedPayload(S3SigV4Auth):
    """S3's signature without a hash of the body."""

    def payload(self, request: Any) -> str:
        """The constant that replaces the hash of the body."""
        return "UNSIGNED-PAYLOAD"


class Bucket:
    """Sends signed calls to one bucket, whose name is in the host or, `in_path`, in the path."""

    def __init__(
        self, url: str, session: requests.Session, name: str = "kyc", *, in_path: bool = False
    ) -> None:
        authority = urlsplit(url).netloc
        self.session = session
        self.host = authority if in_path else f"{name}.localhost:{urlsplit(url).port}"
        self._connected = (
            f"http://{authority}"  # connects to the address, as the host name need not resolve
        )
        self._folder = f"/{name}" if in_path else ""

    def sign(
        self,
        method: str,
        key: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        query: str = "",
        access_key: str = OBS_ACCESS_KEY,
        secret_key: str = OBS_SECRET_KEY,
        region: str = REGION,
        auth: type[S3SigV4Auth] = UnsignedPayload,
    ) -> requests.PreparedRequest:
        """Prepare a call signed by botocore."""
        target = f"{self._folder}/{quote(key, safe='/~')}{query}"
        url = f"http://{self.host}{target}"
        request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
        auth(Credentials(access_key, secret_key), "s3", region).add_auth(request)
        prepared = requests.Request(method, url, data=body).prepare()
        prepared.url = f"{self._connected}{target}"
        prepared.headers.update({"Host": self.host, **dict(request.headers.items())})
        return prepared

    def send(self, prepared: requests.PreparedRequest) -> requests.Response:
        """Send a prepared call as it is."""
        return self.session.send(prepared, timeout=10)

    def call(self, method: str, key: str, **how: Any) -> requests.Response:
        """Sign and send a call."""
        return self.send(self.sign(method, key, **how))

    def put(self, key: str, body: bytes) -> requests.Response:
        """Store a picture."""
        return self.call("PUT", key, body=body, headers={"Content-Type": "image/jpeg"})
