"""The settings of a partner account's buckets."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from app.settings.values import File, Name, Section, Url, is_address

# OBS's rule for bucket names (obs_04_0007): labels as in a host name, 3 to 63 characters in all.
_LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
Bucket = Annotated[
    str,
    StringConstraints(min_length=3, max_length=63, pattern=rf"^{_LABEL}(\.{_LABEL})*$"),
]

# Column names become members of JSON objects.
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class KeyFiles(Section):
    """The files of an access key and its secret key."""

    access_key_file: File = Field(description="file that holds the access key")
    secret_key_file: File = Field(description="file that holds the secret key")


class AttachmentSettings(KeyFiles):
    """The OBS bucket for attachments. It belongs to an ordinary account with its own keys."""

    endpoint: Url = Field(
        description="OBS endpoint of the bucket's region, without the bucket's name"
    )
    bucket: Bucket = Field(description="name of the bucket")
    region: Name = Field(description="region of the bucket")
    addressing: Literal["virtual-host", "path"] = Field(
        "virtual-host",
        description="place of the bucket's name in a request: in front of the endpoint's host "
        "(`virtual-host`, which OBS requires), or in the `path`",
    )

    @model_validator(mode="after")
    def _check_addressing(self) -> Self:
        url = urlsplit(self.endpoint)
        host = url.hostname or ""
        if host.startswith(f"{self.bucket}."):
            raise ValueError(
                "endpoint: must not begin with the bucket's name, which the gateway adds"
            )
        if self.addressing == "virtual-host":
            if is_address(host):
                raise ValueError(
                    "addressing: must be `path`: `endpoint` is an IP address, which cannot carry "
                    "the bucket's name"
                )
            if "." in self.bucket and url.scheme == "https":
                # The TLS handshake would fail: the asterisk in a certificate for `*.obs.…`
                # matches one label only (RFC 9525 section 6.3).
                raise ValueError(
                    "addressing: must be `path`: a wildcard certificate does not cover a bucket "
                    "whose name contains a dot"
                )
        return self


class BillSettings(Section):
    """The bill files that Huawei uploads each month. Huawei documents no encoding and no header."""

    bucket: AttachmentSettings | None = Field(
        None,
        description="OBS bucket of the bill files; without it, it is the bucket of `attachments`",
    )
    encoding: Literal["utf-8", "gb18030"] = Field(
        "utf-8",
        description="encoding of the bill files: `utf-8`, or `gb18030`, which includes GBK",
    )
    columns: Mapping[str, ColumnName] = Field(
        {},
        description="our names of columns by the names in the header row of the bill files, beside "
        "those that the gateway knows, e.g. `Amount: amount`",
    )
