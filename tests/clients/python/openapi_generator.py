"""Drives the Python client that openapi-generator generates: steps in, what came of them out."""

from __future__ import annotations

import json
import sys
from typing import Any

import openapi_client as api  # type: ignore[import-not-found]


def call(client: api.ApiClient, step: dict[str, Any]) -> Any:
    if step["do"] == "upload":
        return api.AttachmentsApi(client).upload_attachment_with_http_info(
            step["customer"], step["name"], bytes.fromhex(step["content"])
        )
    if step["do"] == "onboard":
        body = api.CreateCustomer(partner_user_id=step["customer"], country="SG")
        return api.CustomersApi(client).create_customer_with_http_info(step["key"], body)
    if step["do"] == "orders":
        return api.OrdersApi(client).list_orders_with_http_info(2, customer_id=step["customer"])
    if step["do"] == "read":
        return api.VerificationApi(client).get_verification_with_http_info(
            step["customer"], prefer="wait=20"
        )
    person = api.Individual(
        full_name=step["full_name"],
        document=api.IndividualDocument(number=step["number"], type="PASSPORT"),
        partner_user_id="shop-1",
        attachments=[f"{step['customer']}/{number}.jpg" for number in (1, 2)],
    )
    return api.SubmissionsApi(client).submit_individual_verification_with_http_info(
        step["customer"], person, prefer="wait=5", validate_only=step["do"] == "check"
    )


def onboarded(client: api.ApiClient, created: api.CreatedCustomer) -> list[Any]:
    """What the answers of the onboarding loop say, from the creation to the freeze."""
    customers, customer = api.CustomersApi(client), created.customer_id
    wait = "wait=20" if created.status == "ASSOCIATING" else None
    budget = api.SetBudget(amount="500.00", unfreeze=True)
    return [
        created.status,
        customers.get_customer(customer, prefer=wait).requirements,
        api.BudgetsApi(client).set_budget(customer, budget).amount,
        customers.get_customer(customer).requirements,
        api.FreezesApi(client).freeze_customer(customer, api.Freeze(reason="not paid")).frozen,
    ]


def lines(client: api.ApiClient, step: dict[str, Any]) -> dict[str, Any]:
    """Read a bill as a stream. The client raises nothing for a refusal then."""
    with api.BillLinesApi(client).get_partner_bill_lines_without_preload_content(
        step["month"], step["customer"]
    ) as response:
        if response.status != 200:
            problem = api.Problem.from_json(response.read())
            return refused(response.status, response.headers, problem, "")
        count, first, last = 0, "", ""
        for line in response:
            count, first, last = count + 1, first or line.decode(), line.decode()
        return {"http": response.status, "count": count, "first": first, "last": last}


def refused(status: int, headers: Any, problem: api.Problem, text: str) -> dict[str, Any]:
    return {
        "http": status,
        "retry_after": headers.get("Retry-After"),
        "code": problem.code,
        "retry": problem.retry,
        "fault": problem.fault,
        "pointers": [one.pointer for one in problem.errors or []],
        "upstream_code": problem.upstream.code if problem.upstream else None,
        "retry_after_s": problem.retry_after_s,
        "text": text,
    }


def outcome(client: api.ApiClient, step: dict[str, Any]) -> dict[str, Any]:
    if step["do"] == "lines":
        return lines(client, step)
    try:
        response = call(client, step)
    except api.ApiException as error:
        return refused(error.status, error.headers, error.data, str(error))
    seen = {
        "http": response.status_code,
        "location": response.headers.get("Location"),
        "retry_after": response.headers.get("Retry-After"),
    }
    answer = response.data
    if isinstance(answer, api.Attachment):
        return {**seen, "attachment": answer.attachment}
    if isinstance(answer, api.CreatedCustomer):
        return {**seen, "said": onboarded(client, answer)}
    if isinstance(answer, api.Orders):
        orders = [one.order_id for one in answer.items]
        return {**seen, "orders": orders, "next": answer.next, "total": answer.total}
    return {
        **seen,
        "status": answer.status,
        "final": answer.final,
        "year": answer.checked_at.year,
        "reason": answer.rejection.reason if answer.rejection else None,
        "accepted": answer.accepted,
        "takers": [one.backend for one in answer.backends or [] if one.accepted],
    }


def mistake(client: api.ApiClient, body: dict[str, Any]) -> dict[str, Any]:
    """What the client says of a body that its user has built wrongly."""
    texts = []
    submissions = api.SubmissionsApi(client)
    for build in (
        api.Individual.from_dict,
        lambda members: api.Individual(**members),
        lambda members: submissions.submit_individual_verification("customer", members),
    ):
        try:
            build(body)
        except Exception as error:
            texts.append(f"{type(error).__name__}: {error}")
    return {"texts": texts}


def main() -> None:
    url, key = sys.argv[1:]
    with api.ApiClient(api.Configuration(host=url, access_token=key)) as client:
        for step in json.load(sys.stdin):
            wrong = step["do"] == "mistake"
            done = mistake(client, step["body"]) if wrong else outcome(client, step)
            sys.stdout.write(json.dumps(done) + "\n")


main()
