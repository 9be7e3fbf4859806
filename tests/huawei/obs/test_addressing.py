"""Uploads to an account's OBS bucket: the signature, the host, the certificate and the proxy."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from flask.testing import FlaskClient

from tests.huawei.obs.conftest import JPEG, Build, refused
from tests.support.bucket import OBS_ACCESS_KEY, OBS_SECRET_KEY, REGION, UnsignedPayload
from tests.support.connect_proxy import ConnectProxy
from tests.support.gateway import CUSTOMER, code
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import upload


def signed_again(entry: dict[str, Any]) -> str:
    """The signature of botocore for a received request."""
    headers = {name.lower(): value for name, value in entry["headers"].items()}
    names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(
        method=entry["method"],
        url=f"http://{headers['host']}{entry['target']}",
        headers={name: headers[name] for name in names},
    )
    request.context["timestamp"] = headers["x-amz-date"]
    judge = UnsignedPayload(Credentials(OBS_ACCESS_KEY, OBS_SECRET_KEY), "s3", REGION)
    to_sign = judge.string_to_sign(request, judge.canonical_request(request))
    signature: str = judge.signature(to_sign, request)
    return signature


# addressing -> host and path prefix of a request
PLACES = {
    "virtual-host": ("kyc.localhost:{port}", "/download"),
    "path": ("127.0.0.1:{port}", "/kyc/download"),
}


@pytest.mark.parametrize("addressing", PLACES)
@pytest.mark.parametrize("name", ["page.jpg", "-_.jpg", "A.b-c_d.JPG", "x" * 124 + ".jpg"])
def test_the_obs_signature_equals_that_of_botocore(
    gateway: Build, sandbox: SandboxDriver, addressing: str, name: str
) -> None:
    sandbox.settings(obs_addressing=addressing)
    assert upload(gateway(addressing=addressing), name, JPEG).status_code == 201
    (entry,) = sandbox.requests("obs")
    headers = {key.lower(): value for key, value in entry["headers"].items()}
    assert headers["authorization"].endswith(f"Signature={signed_again(entry)}")
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert headers["content-length"] == str(len(JPEG))
    assert "transfer-encoding" not in headers
    host, folder = PLACES[addressing]
    assert headers["host"] == host.format(port=urlsplit(sandbox.url).port)
    assert entry["target"] == f"{folder}/{CUSTOMER}/{name}"
    assert {"content-type", "host", "x-amz-content-sha256", "x-amz-date"} <= set(
        headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    )


def test_the_bucket_is_a_subdomain_of_the_endpoint_unless_configured_otherwise(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert upload(client, "a.jpg", JPEG).status_code == 201
    (entry,) = sandbox.requests("obs")
    assert entry["headers"]["Host"].startswith("kyc.localhost:")


@pytest.mark.parametrize(
    ("addressing", "other", "upstream"),
    [
        ("path", "virtual-host", "VirtualHostDomainRequired"),
        ("virtual-host", "path", "NoSuchBucket"),
    ],
)
def test_a_wrong_addressing_of_the_bucket_is_reported_to_the_operator(
    gateway: Build, sandbox: SandboxDriver, addressing: str, other: str, upstream: str
) -> None:
    sandbox.settings(obs_addressing=other)
    response = upload(gateway(addressing=addressing), "a.jpg", JPEG)
    refused(sandbox, response, 503, "PARTNER_NOT_ENABLED")
    assert response.get_json()["upstream"]["code"] == upstream
    assert response.get_json()["retry"] == "CONTACT_OPERATOR"


@pytest.mark.parametrize("certificate", ["kyc.localhost", "localhost"])
def test_the_certificate_is_verified_for_the_host_with_the_buckets_name(
    gateway: Build, authority: trustme.CA, ca_file: str, certificate: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    authority.issue_cert(certificate).configure_cert(context)
    with RawUpstream(answer(200), tls=context) as obs:
        client = gateway(ca_file=ca_file, endpoint=obs.url)
        stored = upload(client, "a.jpg", JPEG)
    assert asked == ["kyc.localhost"]
    if certificate == "kyc.localhost":
        assert stored.status_code == 201
        assert obs.requests[0].headers["Host"] == f"kyc.localhost:{obs.port}"
    else:
        assert code(stored) == "UPSTREAM_UNREACHABLE"
        assert obs.requests == []


def test_a_proxy_tunnels_to_the_host_with_the_buckets_name(gateway: Build) -> None:
    with ConnectProxy(refuse=403) as proxy:
        client = gateway(proxy=proxy.url, endpoint="https://obs.example.com")
        assert code(upload(client, "a.jpg", JPEG)) == "UPSTREAM_UNREACHABLE"
    assert proxy.asked == ["kyc.obs.example.com:443"]
