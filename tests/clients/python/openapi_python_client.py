"""Drives the client that openapi-python-client generates: steps in, what came of them out."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from partner_gateway_client import AuthenticatedClient  # type: ignore[import-not-found]
from partner_gateway_client.api.attachments import (  # type: ignore[import-not-found]
    upload_attachment,
)
from partner_gateway_client.api.bill_lines import (  # type: ignore[import-not-found]
    get_partner_bill_lines,
)
from partner_gateway_client.api.budgets import set_budget  # type: ignore[import-not-found]
from partner_gateway_client.api.customers import (  # type: ignore[import-not-found]
    create_customer,
    get_customer,
)
from partner_gateway_client.api.freezes import freeze_customer  # type: ignore[import-not-found]
from partner_gateway_client.api.orders import list_orders  # type: ignore[import-not-found]
from partner_gateway_client.api.submissions import (  # type: ignore[import-not-found]
    submit_individual_verification,
)
from partner_gateway_client.api.verification import (  # type: ignore[import-not-found]
    get_verification,
)
from partner_gateway_client.models import (  # type: ignore[import-not-found]
    Attachment,
    CreateCustomer,
    CreatedCustomer,
    Freeze,
    Individual,
    IndividualDocument,
    IndividualDocumentType,
    Orders,
    Problem,
    SetBudget,
)
from partner_gateway_client.types import File  # type: ignore[import-not-found]


def call(client: AuthenticatedClient, step: dict[str, Any]) -> Any:
    if step["do"] == "upload":
        body = File(payload=io.BytesIO(bytes.fromhex(step["content"])))
        return upload_attachment.sync_detailed(
            step["customer"], step["name"], client=client, body=body
        )
    if step["do"] == "onboard":
        new = CreateCustomer(partner_user_id=step["customer"], country="SG")
        return create_customer.sync_detailed(client=client, body=new, idempotency_key=step["key"])
    if step["do"] == "orders":
        return list_orders.sync_detailed(client=client, limit=2, customer_id=step["customer"])
    if step["do"] == "lines":
        return get_partner_bill_lines.sync_detailed(
            step["month"], client=client, customer_id=step["customer"]
        )
    if step["do"] == "read":
        return get_verification.sync_detailed(step["customer"], client=client, prefer="wait=20")
    person = Individual(
        full_name=step["full_name"],
        document=IndividualDocument(number=step["number"], type_=IndividualDocumentType.PASSPORT),
        partner_user_id="shop-1",
        attachments=[f"{step['customer']}/{number}.jpg" for number in (1, 2)],
    )
    return submit_individual_verification.sync_detailed(
        step["customer"],
        client=client,
        body=person,
        prefer="wait=5",
        validate_only=step["do"] == "check",
    )


def onboarded(client: AuthenticatedClient, created: CreatedCustomer) -> list[Any]:
    """What the answers of the onboarding loop say, from the creation to the freeze."""
    customer, freeze = created.customer_id, Freeze(reason="not paid")
    wait = {"prefer": "wait=20"} if created.status == "ASSOCIATING" else {}
    budget = SetBudget(amount="500.00", unfreeze=True)
    return [
        created.status,
        get_customer.sync(customer, client=client, **wait).requirements,
        set_budget.sync(customer, client=client, body=budget).amount,
        get_customer.sync(customer, client=client).requirements,
        freeze_customer.sync(customer, client=client, body=freeze).frozen,
    ]


def outcome(client: AuthenticatedClient, step: dict[str, Any]) -> dict[str, Any]:
    response = call(client, step)
    seen: dict[str, Any] = {
        "http": int(response.status_code),
        "location": response.headers.get("Location"),
        "retry_after": response.headers.get("Retry-After"),
    }
    answer = response.parsed
    if isinstance(answer, Problem):
        seen |= {
            "code": answer.code,
            "retry": answer.retry,
            "fault": answer.fault,
            "pointers": [one.pointer for one in answer.errors or []],
            "upstream_code": answer.upstream.code if answer.upstream else None,
            "retry_after_s": answer.retry_after_s or None,
            "text": str(answer),
        }
    elif isinstance(answer, Attachment):
        seen["attachment"] = answer.attachment
    elif isinstance(answer, CreatedCustomer):
        seen["said"] = onboarded(client, answer)
    elif isinstance(answer, Orders):
        orders = [one.order_id for one in answer.items]
        seen |= {"orders": orders, "next": answer.next_ or None, "total": answer.total}
    elif isinstance(answer, File):
        lines = answer.payload.read().decode().splitlines()
        seen |= {"count": len(lines), "first": lines[0], "last": lines[-1]}
    else:
        seen |= {
            "status": answer.status,
            "final": answer.final,
            "year": answer.checked_at.year,
            "reason": answer.rejection.reason if answer.rejection else None,
            "accepted": answer.accepted if answer.backends else None,
            "takers": [one.backend for one in answer.backends or [] if one.accepted],
        }
    return seen


def mistake(body: dict[str, Any]) -> dict[str, Any]:
    """What the client says of a body that its user has built wrongly."""
    texts = []
    for build in (Individual.from_dict, lambda members: Individual(**members).to_dict()):
        try:
            build(body)
        except Exception as error:
            texts.append(f"{type(error).__name__}: {error}")
    return {"texts": texts}


def main() -> None:
    url, key = sys.argv[1:]
    with AuthenticatedClient(base_url=url, token=key) as client:
        for step in json.load(sys.stdin):
            done = mistake(step["body"]) if step["do"] == "mistake" else outcome(client, step)
            sys.stdout.write(json.dumps(done) + "\n")


main()
