"""The lines of the partner's monthly bills (mb_00002)."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response, g, request

from app.api import downloads
from app.api.authentication import check_filter, requires
from app.api.blueprint import CALLER_PROBLEMS, UPSTREAM_PROBLEMS, ResourceBlueprint
from app.api.extensions import account
from app.api.queries import Customer
from app.billing.file import BillFile, Chosen, only
from app.billing.formats import CSV, FORMATS, NDJSON, Format
from app.errors import ErrorCode, GatewayError
from app.fields import QuerySchema
from app.huawei.pacing.deadline import READ, Errand

blueprint = ResourceBlueprint(
    "bill-lines",
    __name__,
    url_prefix="/v1/partner/bills/<month:month>/lines",
    description="The lines of the partner's monthly bills",
)
_BINARY = {"type": "string", "format": "binary"}  # generated clients then read a stream
_EXAMPLES = {
    NDJSON: '{"customer_id": "06a7969058802f0c0f01c00b91846780", "billing_mode": "PAY_PER_USE", '
    '"list_amount": "0.00333333"}\n{"complete": true, "lines": 1}\n',
    CSV: "customer_id,billing_mode,list_amount\r\n"
    "06a7969058802f0c0f01c00b91846780,PAY_PER_USE,0.00333333\r\n",
}


class LinesQuerySchema(QuerySchema):
    """The filter of the lines."""

    customer_id = Customer(metadata={"description": "only the lines of this customer"})


def _media_type() -> str:
    """The media type that the request accepts; NDJSON if it names none.

    Raises:
        GatewayError: NOT_ACCEPTABLE.
    """
    accepted = request.accept_mimetypes
    found = accepted.best_match([NDJSON, CSV]) if accepted else NDJSON
    if found is None:
        raise GatewayError(ErrorCode.NOT_ACCEPTABLE, f"Accept `{NDJSON}` or `{CSV}`.")
    # With HTTP/1.0 the end of the connection is the end of the answer, whole or not.
    if found == CSV and request.environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        text = f"A part of `{CSV}` looks whole in HTTP/1.0. Use HTTP/1.1, or accept `{NDJSON}`."
        raise GatewayError(ErrorCode.NOT_ACCEPTABLE, text)
    return found


@blueprint.get("")
@requires("billing:read", about_customers=False)
@blueprint.arguments(LinesQuerySchema(), location="query")
@blueprint.doc(operationId="getPartnerBillLines")
@blueprint.doc(
    responses={
        "200": {
            "description": "the lines",
            "content": {
                media_type: {"schema": _BINARY, "example": example}
                for media_type, example in _EXAMPLES.items()
            },
            "headers": {name: name for name in blueprint.ANSWER_HEADERS},
        }
    }
)
@blueprint.problems(
    CALLER_PROBLEMS,
    UPSTREAM_PROBLEMS,
    ErrorCode.VALIDATION_FAILED,
    ErrorCode.NOT_ACCEPTABLE,
    ErrorCode.BILL_NOT_READY,
    ErrorCode.PARTNER_NOT_ENABLED,
)
def get_partner_bill_lines(query: dict[str, Any], month: str) -> Response:
    """Download the lines of the partner's bill of a month.

    The lines come from the file that Huawei uploads to the partner's bucket, in their order there.
    `Accept` chooses `application/x-ndjson` (the default) or `text/csv`. The columns that Huawei
    documents have our names: `customer_id`, `product_id`, `service_type`, `resource_type`,
    `region`, `billing_mode`, `list_amount`; the others have Huawei's. Every value is a text, and an
    amount has all its digits. A caller that is limited to some customers gets only their lines.

    Check that the answer is complete. The last line of NDJSON is `{"complete": true, "lines": n}`;
    without this line the answer is a part. CSV has no such line: if the bill cannot be read to its
    end, the gateway cuts the connection before the last chunk, which your HTTP client reports.
    A download may take an hour, and you may pause 30 seconds at most.
    """
    media_type = _media_type()
    customer_id = query.get("customer_id")
    if customer_id is not None:
        check_filter(customer_id)
    chosen = only(customer_id, g.rights.customers)
    with ExitStack() as opened:
        opened.callback(downloads.begin())
        errand = Errand.within(READ, g.caller)
        file = opened.enter_context(account().bill_files.open(month, errand, time.time()))
        pieces = _pieces(file, FORMATS[media_type](file.columns), chosen)
        return downloads.send(pieces, media_type, opened.pop_all().close)


def _pieces(file: BillFile, written: Format, chosen: Chosen | None) -> Iterator[bytes]:
    yield written.begin()
    for lines in file.wanted(chosen):
        yield written.write(lines)
    yield written.end(file.lines)
