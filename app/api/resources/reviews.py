"""The verifications that are in review, of all the customers that a caller may access."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import g, request
from marshmallow import fields

from app.answers import Page
from app.api.authentication import may_access, requires
from app.api.blueprint import IDENTITY_PROBLEMS, ResourceBlueprint
from app.api.extensions import gateway
from app.api.lists import PageSchema, page
from app.api.queries import Choice
from app.errors import ErrorCode
from app.fields import ResponseSchema, UtcTime, word
from app.verification.model import Kind, Status

blueprint = ResourceBlueprint(
    "reviews",
    __name__,
    url_prefix="/v1/verifications",
    description="The verifications that are in review",
)


class OpenReviewSchema(ResponseSchema):
    """A verification that is in review, as far as the gateway knows."""

    customer_id = fields.String(required=True)
    account = fields.String(required=True)
    kind = fields.String(
        metadata={
            "description": f"{', '.join(Kind)}; more can be added. Absent if the gateway remembers "
            "no submission and only a read showed the review"
        }
    )
    status = word((Status.IN_REVIEW,), "the status when the gateway last looked")
    since = UtcTime(
        required=True,
        metadata={"description": "time of the submission, or of the read that showed the review"},
    )


EXAMPLE = {
    "customer_id": "06a7969058802f0c0f01c00b91846780",
    "account": "default",
    "kind": "INDIVIDUAL",
    "status": "IN_REVIEW",
    "since": "2026-11-23T09:29:59Z",
}


class OpenReviewsSchema(Page):
    """A page of the verifications that are in review, the oldest first."""

    items = fields.List(fields.Nested(OpenReviewSchema), required=True)
    total = fields.Integer(required=True)


class ReviewsQuerySchema(PageSchema):
    """The query of the verifications."""

    status = Choice(
        "ListedStatus",
        {Status.IN_REVIEW.value: Status.IN_REVIEW.value},
        "the status of the verifications to list; the gateway keeps a list of no other",
        required=True,
    )


@blueprint.get("")
@requires("verifications:read", about_customers=False)
@blueprint.doc(operationId="listVerifications")
@blueprint.arguments(ReviewsQuerySchema(), location="query")
@blueprint.response(200, OpenReviewsSchema(), example={"items": [EXAMPLE], "total": 1})
@blueprint.problems(IDENTITY_PROBLEMS, ErrorCode.VALIDATION_FAILED)
def list_verifications(query: dict[str, Any]) -> dict[str, Any]:
    """List the verifications that are in review, the oldest first.

    The list is the gateway's own record and costs no call of Huawei: the submissions that ended
    IN_REVIEW, and the reviews that a read showed. It covers the account that `Partner-Account`
    names, or else all of your accounts. A caller that is limited to some customers sees only
    these. Without Redis a restart empties the list; a read of a customer adds its review again.
    """
    after, limit = query["after"], query["limit"]
    found = sorted(_visible(), key=lambda review: (review["since"], review["customer_id"]))
    return page({"items": found[after : after + limit], "total": len(found)}, after)


def _visible() -> Iterator[dict[str, Any]]:
    accounts = [g.account] if "Partner-Account" in request.headers else g.rights.accounts
    for account in accounts:
        for review in gateway().accounts[account].reviews.all():
            if may_access(review.customer_id):
                yield {
                    "customer_id": review.customer_id,
                    "account": account,
                    "kind": review.kind or None,
                    "status": Status.IN_REVIEW,
                    "since": datetime.fromtimestamp(review.since, UTC),
                }
