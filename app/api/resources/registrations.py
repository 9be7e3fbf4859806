"""What comes before a new customer: whether its name is free, and the code for its e-mail."""

from typing import Any

from flask import g
from marshmallow import ValidationError, validates_schema

from app.answers import Answer, Flag
from app.api.authentication import requires
from app.api.blueprint import REGISTRATION_PROBLEMS, ResourceBlueprint
from app.api.extensions import account
from app.api.reads import read
from app.customers.mail_codes import LANGUAGES, send_code
from app.customers.rules import ACCOUNT_NAME, EMAIL
from app.errors import ErrorCode
from app.fields import RequestSchema, Rule
from app.huawei.codes import REGISTRATION
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import WRITE, Errand
from app.texts import PlainText, one_of

blueprint = ResourceBlueprint(
    "registrations",
    __name__,
    url_prefix="/v1/registrations",
    description="Prepare the registration of a customer",
)

_ONE = Rule("ONE_FIELD", "must have exactly one of email and account_name")


class CheckSchema(RequestSchema):
    """What to look up: an e-mail address or an account name."""

    email = PlainText(validate=EMAIL, metadata={"description": "3 to 64 characters with an @"})
    account_name = PlainText(
        validate=ACCOUNT_NAME,
        metadata={"description": "5 to 32 letters, digits, `_` or `-`, beginning with a letter"},
    )

    @validates_schema
    def check_one(self, asked: dict[str, Any], **_: Any) -> None:
        """Refuse both fields, and none."""
        if len(asked) != 1:
            raise ValidationError([_ONE])


class CodeSchema(RequestSchema):
    """Where to send a code."""

    email = PlainText(
        required=True, validate=EMAIL, metadata={"description": "3 to 64 characters with an @"}
    )
    language = PlainText(
        load_default="EN",
        validate=one_of(tuple(LANGUAGES)),
        metadata={
            "enum_name": "MailLanguage",
            "enum": list(LANGUAGES),
            "description": "the language of the mail",
        },
    )


class _Availability(Flag):
    """`check_result` as true or false."""

    truthy = {"available"}  # noqa: RUF012 - marshmallow's
    falsy = {"used_by_user"}  # noqa: RUF012 - marshmallow's


class AvailabilitySchema(Answer):
    """Whether a value can be registered."""

    available = _Availability("check_result", True, "whether no account has it")


CHECK = Operation.read(
    "POST /v2/partners/sub-customers/users/check-identity",
    "check_user_identity",
    AvailabilitySchema,
    errors=REGISTRATION,
    calls_per_second=5,
    kind="search_type",
    value="search_value",
)


@blueprint.post("/check")
@requires("customers:write")
@blueprint.doc(operationId="checkRegistration")
@blueprint.arguments(CheckSchema(), examples={"EMAIL": {"value": {"email": "li@example.com"}}})
@blueprint.response(200, AvailabilitySchema(), example={"available": True})
@blueprint.problems(REGISTRATION_PROBLEMS)
def check_registration(asked: dict[str, str]) -> Any:
    """Read whether an e-mail address or an account name is free.

    Give exactly one of the two. A value that is free now can be taken before the customer is
    created.
    """
    if "email" in asked:
        return read(CHECK, kind="email", value=asked["email"])
    return read(CHECK, kind="name", value=asked["account_name"])


@blueprint.post("/code")
@requires("customers:write")
@blueprint.doc(operationId="sendRegistrationCode")
@blueprint.arguments(
    CodeSchema(), examples={"ENGLISH": {"value": {"email": "li@example.com", "language": "EN"}}}
)
@blueprint.response(204, description="Huawei accepted the mail")
@blueprint.problems(REGISTRATION_PROBLEMS, ErrorCode.OUTCOME_UNKNOWN)
def send_registration_code(mail: dict[str, str]) -> None:
    """Let Huawei mail a verification code to a new customer.

    The code is for the creation of the customer. The gateway never sends a mail twice: if the
    answer of Huawei is lost, ask the customer whether the mail came.
    """
    upstream, errand = account().partner_center, Errand.within(WRITE, g.caller)
    send_code(upstream, errand, mail["email"], mail["language"])
