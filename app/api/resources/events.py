"""The events of the feed that a caller may see."""

from typing import Any

from flask import g, request
from marshmallow import fields

from app.api.authentication import requires
from app.api.blueprint import EVENTS_PROBLEMS, ResourceBlueprint
from app.api.extensions import gateway
from app.api.lists import LimitSchema
from app.api.requested import wait_preference
from app.events import EventType, visible_to
from app.fields import Explained, ResponseSchema, Rule, UtcTime, word
from app.observability import metrics
from app.state import is_place
from app.verification.model import Kind, Status

blueprint = ResourceBlueprint(
    "events", __name__, url_prefix="/v1/events", description="What ended or was reached"
)


class _After(Explained, fields.String):
    """The id of an event. It is opaque."""

    rules = Explained.rules | {
        "place": Rule("INVALID", "must be the `next` of an earlier answer or the id of an event")
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        text = super()._deserialize(value, attr, data, **more)
        if not is_place(text):
            raise self.make_error("place")
        return text


class _Types(Explained, fields.String):
    """Types of events in a query, separated by commas."""

    rules = Explained.rules | {
        "types": Rule("NOT_ALLOWED", f"must be some of {', '.join(EventType)}, with commas between")
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        types = super()._deserialize(value, attr, data, **more).split(",")
        if not set(types) <= set(EventType):
            raise self.make_error("types")
        return frozenset(types)


class EventsQuerySchema(LimitSchema):
    """The place in the feed, and the types of events."""

    after = _After(
        load_default=None,
        metadata={
            "description": "the `next` of the answer before; absent: from the oldest event that "
            "is kept"
        },
    )
    types = _Types(
        load_default=frozenset(EventType),
        metadata={
            "description": f"only these types, separated by commas: {', '.join(EventType)}; "
            "absent: all"
        },
    )


def _text(description: str) -> fields.String:
    return fields.String(metadata={"description": description})


class EventSchema(ResponseSchema):
    """An event. It holds nothing personal; read the customer for the rest."""

    id = fields.String(
        required=True,
        metadata={"description": "opaque; the same event has the same id in every answer"},
    )
    type = word(EventType)
    account = fields.String(required=True)
    customer_id = _text("absent for an event of the whole account, such as CREDIT_USED")
    occurred_at = UtcTime(
        required=True, metadata={"description": "the time at which the gateway saw it"}
    )
    kind = word(Kind, "of VERIFICATION_ENDED, if it is known", required=False)
    status = word((Status.VERIFIED, Status.REJECTED), "of VERIFICATION_ENDED", required=False)
    percent = fields.Integer(
        metadata={
            "description": "of BUDGET_USED and CREDIT_USED: the part of the budget or credit that "
            "was reached, in percent"
        }
    )


class EventsSchema(ResponseSchema):
    """Events, oldest first."""

    items = fields.List(fields.Nested(EventSchema), required=True)
    next = fields.String(
        required=True,
        metadata={
            "description": "`after` of your next request; always present. Store it with what you "
            "did about the items. There is nothing newer if it equals your `after`."
        },
    )


EXAMPLE = {
    "items": [
        {
            "id": "1795685400000-482913004417256",
            "type": "VERIFICATION_ENDED",
            "account": "default",
            "customer_id": "06a7969058802f0c0f01c00b91846780",
            "occurred_at": "2026-11-26T09:30:00Z",
            "kind": "INDIVIDUAL",
            "status": "VERIFIED",
        },
        {
            "id": "1795685412345-901224871100342",
            "type": "BUDGET_USED",
            "account": "default",
            "customer_id": "0518a3bb4e00d2a01f7cc00b0ee5da36",
            "occurred_at": "2026-11-26T09:30:12Z",
            "percent": 80,
        },
    ],
    "next": "1795685412345-901224871100342",
}


@blueprint.get("", parameters=["Prefer"])
@requires("events:read", about_customers=False)
@blueprint.doc(operationId="listEvents")
@blueprint.arguments(EventsQuerySchema(), location="query")
@blueprint.response(200, EventsSchema(), example=EXAMPLE, headers=("Preference-Applied",))
@blueprint.problems(EVENTS_PROBLEMS)
def list_events(query: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """List events.

    The gateway does not call Huawei. With `Prefer: wait=N`, it answers as soon as there is an event
    for you, or after N seconds (at most 25) without one.

    You get the events of your customers in all your accounts, or in the one that
    `Partner-Account` names. A caller that is limited to some customers gets no event of a whole
    account. An answer can have fewer items than `limit`, or none, while there are more. Each
    event comes at least once: ignore an id that you know.

    EVENTS_GONE says that events after `after` were dropped, and has a new `next`. Keep it, look
    once at each of your customers, and then go on with it.
    """
    wait = wait_preference()
    accounts = [g.account] if "Partner-Account" in request.headers else g.rights.accounts
    visible = visible_to(g.rights, accounts, query["types"])
    found = gateway().feed.wait(query["after"], query["limit"], wait or 0.0, visible)
    metrics.EVENTS_BEHIND.labels(g.caller).set(found.behind)
    metrics.EVENTS_READ.labels(g.caller).set_to_current_time()
    answer = {"items": [entry.item() for entry in found.items], "next": found.next}
    return answer, 200, {"Preference-Applied": f"wait={wait:.0f}"} if wait else {}
