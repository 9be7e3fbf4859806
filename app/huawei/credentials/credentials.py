"""The credentials of an account: what key pairs and tokens have in common."""

from collections.abc import Sequence
from typing import Any, Protocol

from requests import PreparedRequest

from app.huawei.codes import Verdict
from app.huawei.credentials.key_slot import Probe


class Credentials(Protocol):
    """Authorizes an account's requests, and receives Huawei's verdict on each of them."""

    def authorize(
        self, request: PreparedRequest, uses: Sequence[Any], probe: Probe, within: float
    ) -> Any:
        """Add a credential to the request, in place. A changed credential is adopted before.

        Args:
            request: The request.
            uses: Earlier results for this request, whose credentials are not used again.
            probe: Sends one read and returns Huawei's verdict on a new credential.
            within: Seconds until the deadline.

        Raises:
            GatewayError: if no credential is usable now.

        Returns:
            The use of the credential, for `settle`.
        """

    def is_valid(self, use: Any) -> bool:
        """Whether a request may still be sent with this use, after a wait."""

    def settle(self, use: Any, verdict: Verdict) -> None:
        """Report Huawei's verdict on a use. Each `authorize` is followed by one `settle`."""

    def may_repeat(
        self, uses: Sequence[Any], verdict: Verdict, probe: Probe, within: float
    ) -> bool:
        """Whether the request may be sent with another credential.

        Args:
            uses: The uses of credentials for this request; the last use was refused.
            verdict: Huawei's verdict on the last use.
            probe: Sends one read and returns Huawei's verdict on a new credential.
            within: Seconds until the deadline.
        """

    def usable(self) -> bool:
        """Whether the files hold a credential."""

    def describe(self) -> dict[str, Any]:
        """The condition of the credentials, without secrets."""
