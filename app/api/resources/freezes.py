"""Freeze and unfreeze a customer (mc_00027, mc_00028)."""

from typing import Any

from flask import g
from marshmallow import fields

from app.answers import Answer
from app.api.blueprint import ResourceBlueprint
from app.api.extensions import account
from app.api.requested import requested, written
from app.customers.freezes import ACCOUNT, FREEZE, KINDS, UNFREEZE, UNKNOWN, kind_of
from app.errors import ErrorCode, GatewayError
from app.fields import JsonFlag, RequestSchema, Rule
from app.texts import PlainText, length

_CONFIRM = Rule(
    "CONFIRM", "must be the customer id of the path; it is required if `resources` is true"
)

blueprint = ResourceBlueprint(
    "freezes",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>",
    description="Freeze and unfreeze a customer",
)


class _ReasonSchema(RequestSchema):
    """Why a customer is frozen or unfrozen."""

    reason = PlainText(
        required=True,
        validate=length(1, 256),
        metadata={"description": "why, in 1 to 256 characters; it is sent to Huawei"},
    )


class FreezeSchema(_ReasonSchema):
    """A freeze of a customer."""

    resources = JsonFlag(
        metadata={
            "description": "true: all services of the customer stop as well, and about 15 days "
            "later Huawei deletes the customer's data; by default false"
        }
    )
    confirm = PlainText(
        metadata={"description": "the customer id of the path; required if `resources` is true"}
    )


class UnfreezeSchema(_ReasonSchema):
    """The end of a freeze."""

    resources = JsonFlag(
        metadata={
            "description": "whether the freeze has stopped the customer's services as well; by "
            "default as the gateway remembers it, or else false"
        }
    )


def _frozen(value: bool) -> fields.Boolean:
    return fields.Boolean(required=True, metadata={"example": value})


class FrozenSchema(Answer):
    """A customer that is frozen."""

    customer_id = fields.String(required=True, metadata={"example": "cust-0001"})
    frozen = _frozen(True)


class UnfrozenSchema(Answer):
    """A customer that is not frozen, and the freeze that has ended."""

    customer_id = fields.String(required=True, metadata={"example": "cust-0001"})
    frozen = _frozen(False)
    freeze = fields.String(
        required=True,
        metadata={
            "description": "of which kind the freeze was, if the gateway froze the customer: "
            f"{', '.join(KINDS)}; {UNKNOWN}: the gateway cannot know it; more can be added",
            "example": ACCOUNT,
        },
    )


@blueprint.write(
    "POST",
    "/freeze",
    FreezeSchema(),
    FrozenSchema,
    "customers:freeze",
    example={"reason": "Invoice 2026-10 is not paid"},
)
def freeze_customer(body: dict[str, Any], customer_id: str) -> Any:
    """Freeze a customer.

    A frozen customer can buy, renew and change nothing.

    **With `resources: true` all its services stop as well, and about 15 days later Huawei deletes
    its data**, unless it is unfrozen before. This needs the scope `customers:freeze-resources` as
    well, and `confirm`.
    """
    resources, confirm = body.get("resources", False), body.get("confirm")
    g.record.freeze = kind_of(resources)
    if resources and "customers:freeze-resources" not in g.rights.scopes:
        text = "A freeze of resources needs the scope `customers:freeze-resources` as well."
        raise GatewayError(ErrorCode.FORBIDDEN, text)
    if confirm != customer_id and (resources or confirm is not None):
        raise GatewayError(ErrorCode.VALIDATION_FAILED, errors=(_CONFIRM.at("/confirm"),))
    return written(account().freezes.freeze, requested(FREEZE, customer_id, body))


@blueprint.write(
    "POST",
    "/unfreeze",
    UnfreezeSchema(),
    UnfrozenSchema,
    "customers:freeze",
    example={"reason": "Invoice 2026-10 is paid"},
)
def unfreeze_customer(body: dict[str, Any], customer_id: str) -> Any:
    """Unfreeze a customer.

    Huawei accepts an unfreeze only of the kind of the freeze, and tells nobody which it was. The
    gateway remembers for 30 days how it froze a customer. Say `resources` yourself if the customer
    was frozen in another way, such as in Huawei's console, and the services are stopped.
    """
    return written(account().freezes.unfreeze, requested(UNFREEZE, customer_id, body))
