"""The interface of the two backends, and the problem of a submission that they refuse."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from app.errors import ErrorCode, FieldError, GatewayError
from app.huawei.pacing.deadline import Errand
from app.verification.backends.translation import Draft, UpstreamSchema
from app.verification.model import Kind, Verification

# If all broken rules have these codes, the first of these codes is the problem. Otherwise the
# problem is VALIDATION_FAILED.
_SPECIAL = (
    ErrorCode.DOCUMENT_TYPE_UNSUPPORTED,
    ErrorCode.EVIDENCE_REQUIRED,
    ErrorCode.ATTACHMENT_FORMAT,
)


class Backend(Protocol):
    """One generation of Huawei's API."""

    @property
    def name(self) -> str:
        """The name of the backend in the contract."""

    @property
    def schemas(self) -> Mapping[Kind, UpstreamSchema]:
        """The schema of Huawei's request body for each kind of submission."""

    def submit(self, kind: Kind, customer_id: str, draft: Draft, errand: Errand) -> Verification:
        """Send a draft that breaks no rule.

        Raises:
            GatewayError: the failure of the call.
        """


def refusal(errors: Iterable[FieldError]) -> GatewayError:
    """The problem of a submission that breaks these rules."""
    errors = tuple(errors)
    codes = {error.code for error in errors}
    if codes <= {code.name for code in _SPECIAL}:
        code = next(code for code in _SPECIAL if code.name in codes)
    else:
        code = ErrorCode.VALIDATION_FAILED
    return GatewayError(code, errors=errors)
