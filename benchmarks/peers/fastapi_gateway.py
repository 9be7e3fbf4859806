"""The gateway's work in FastAPI under uvicorn and uvloop; HTTP_CLIENT names its HTTP client."""

# mypy: disable-error-code="import-not-found, untyped-decorator, misc"

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import aiohttp
import httpx
from fastapi import FastAPI, Header, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from benchmarks.peers import huawei

CONNECTIONS = 1000
TIMEOUT = 15.0  # seconds

Send = Callable[[dict[str, str], bytes], Awaitable[tuple[int, bytes]]]


class Document(BaseModel):
    """The identity document of a person."""

    model_config = ConfigDict(extra="forbid", strict=True)
    type: Literal[
        "ID_CARD", "ID_CARD_GEN1", "ID_CARD_TEMPORARY", "PASSPORT", "HK_MACAU_PERMIT",
        "TAIWAN_PERMIT", "HK_MACAU_RESIDENCE", "TAIWAN_RESIDENCE",
    ]  # fmt: skip
    number: str = Field(pattern=r"^[0-9A-Za-z]{1,32}$")


class Individual(BaseModel):
    """A person to be verified."""

    model_config = ConfigDict(extra="forbid", strict=True)
    full_name: str = Field(min_length=1, max_length=256, pattern=r"\D")
    document: Document
    partner_user_id: str = Field(min_length=1, max_length=64)
    attachments: list[str] | None = Field(None, min_length=1, max_length=4)


class Verification(BaseModel):
    """The state of a customer's verification."""

    customer_id: str
    kind: str
    status: str
    final: bool
    backend: str
    checked_at: str


@asynccontextmanager
async def _with_httpx() -> AsyncIterator[Send]:
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(limits=limits, timeout=TIMEOUT, trust_env=False) as client:

        async def send(headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
            response = await client.put(huawei.URL, headers=headers, content=body)
            return response.status_code, response.content

        yield send


@asynccontextmanager
async def _with_aiohttp() -> AsyncIterator[Send]:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:

        async def send(headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
            async with client.put(huawei.URL, headers=headers, data=body) as response:
                return response.status, await response.read()

        yield send


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    client = {"httpx": _with_httpx, "aiohttp": _with_aiohttp}[os.environ["HTTP_CLIENT"]]
    async with client() as send:
        app.state.send = send
        yield


app = FastAPI(lifespan=_lifespan, openapi_url=None)


@app.get("/livez")
async def livez() -> dict[str, str]:
    """Answer as long as the process can."""
    return {"status": "ok"}


@app.post("/v1/customers/{customer_id}/verifications/individual", status_code=201)
async def submit(
    submission: Individual,
    request: Request,
    customer_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
    authorization: Annotated[str | None, Header()] = None,
) -> Verification:
    """Submit a person's verification."""
    begun = time.monotonic()
    caller, status, code = None, 201, None
    try:
        caller = huawei.caller(authorization)
        body = huawei.translated(customer_id, submission.model_dump())
        answer = await request.app.state.send(huawei.signed(body), body)
        return Verification(**huawei.read(customer_id, *answer))
    except huawei.Failure as failure:
        status, code = failure.status, failure.code
        raise
    finally:
        huawei.log(begun, caller, customer_id, status, code)


def _problem(status: int, code: str) -> JSONResponse:
    document = {"type": f"/v1/errors/{code}", "status": status, "code": code}
    return JSONResponse(document, status, media_type="application/problem+json")


@app.exception_handler(huawei.Failure)
async def refuse(_: Request, failure: huawei.Failure) -> JSONResponse:
    """A failure as a problem."""
    return _problem(failure.status, failure.code)


@app.exception_handler(RequestValidationError)
async def refuse_body(_: Request, _failure: Any) -> JSONResponse:
    """A body that does not validate, as a problem."""
    return _problem(422, "VALIDATION_FAILED")
