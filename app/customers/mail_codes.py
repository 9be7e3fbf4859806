"""The mails with verification codes (mc_00024)."""

from app.errors import GatewayError, Retry
from app.huawei.codes import REGISTRATION
from app.huawei.operation import ByNothing, Operation
from app.huawei.pacing.deadline import Errand
from app.huawei.partner_center import PartnerCenter

LANGUAGES = {"EN": "en-us", "ZH": "zh-cn"}
RECEIVER = 2  # an e-mail address, the only receiver on the international site
PAUSE = 60.0  # seconds in which a mail usually arrives

SEND_CODE = Operation(
    name="send_verification_code",
    method="POST",
    path="/v2/bases/verificationcode/send",
    writes=True,
    success=ByNothing(),
    errors=REGISTRATION,
)


def send_code(partner_center: PartnerCenter, errand: Errand, email: str, language: str) -> None:
    """Let Huawei mail a code to an address, once.

    A mail cannot be looked up and a second one uses up Huawei's limit, so that only the customer
    can tell whether it came after a lost answer.

    Args:
        partner_center: Partner Center.
        errand: The caller and the deadline.
        email: The address.
        language: One of LANGUAGES.

    Raises:
        GatewayError: the failure of the call.
    """
    body = {"receiver_type": RECEIVER, "email": email, "lang": LANGUAGES[language]}
    try:
        partner_center.call(SEND_CODE, errand=errand, customer=None, body=body)
    except GatewayError as error:
        if error.code.write_retry is not Retry.SAME_KEY:
            raise
        raise GatewayError(
            error.code,
            "The mail may have been sent. "
            "Ask the customer whether it came, before you send another.",
            upstream=error.upstream,
            retry_after=PAUSE,
            retry=Retry.AFTER_DELAY,
        ) from None
