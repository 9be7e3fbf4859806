"""The kinds, states and document types of verifications, and the status of one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ATTACHMENT_NAME = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"


BACKENDS = ("legacy", "review")


class Kind(StrEnum):
    """The kind of verification: a person, a company, or the change from a person to a company."""

    INDIVIDUAL = "INDIVIDUAL"
    ENTERPRISE = "ENTERPRISE"
    ENTERPRISE_CHANGE = "ENTERPRISE_CHANGE"


class Status(StrEnum):
    """The status of a verification."""

    VERIFIED = "VERIFIED"
    IN_REVIEW = "IN_REVIEW"
    REJECTED = "REJECTED"
    NOT_SUBMITTED = "NOT_SUBMITTED"


INDIVIDUAL_DOCUMENTS = (
    "ID_CARD",
    "ID_CARD_GEN1",
    "ID_CARD_TEMPORARY",
    "PASSPORT",
    "HK_MACAU_PERMIT",
    "TAIWAN_PERMIT",
    "HK_MACAU_RESIDENCE",
    "TAIWAN_RESIDENCE",
)
ENTERPRISE_DOCUMENTS = (
    "BUSINESS_LICENSE",
    "ORGANIZATION_CODE",
    "INSTITUTION_CERTIFICATE",
    "SOCIAL_ORGANIZATION_CERTIFICATE",
    "LAW_ENFORCEMENT_CERTIFICATE",
    "OTHER",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The known status of a customer's verification, without personal values.

    `kind` is None if only the result was read and the gateway remembers no submission: Huawei's
    result does not name the kind. `submitted_at` is the time of a submission, None for a read.
    `reason` is the reviewer's reason for a rejection; it is answered to the caller and never
    logged. `reconciled` is True if Huawei's answer to the submission was lost, and the status was
    read afterwards.
    """

    customer_id: str
    status: Status
    backend: str
    checked_at: datetime
    kind: Kind | None = None
    submitted_at: datetime | None = None
    reason: str | None = None
    reconciled: bool = False

    @property
    def final(self) -> bool:
        """Whether a verification has ended: only a new submission changes the status then."""
        return self.status in (Status.VERIFIED, Status.REJECTED)
