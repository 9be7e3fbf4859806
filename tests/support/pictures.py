"""Pictures that a submission to a served gateway names."""

from __future__ import annotations

import requests

from demo.local import KEY, Local

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))


def upload_pictures(served: Local, customer: str) -> list[str]:
    """Upload two pictures. Returns the values to put into `attachments`."""
    named = []
    for number in (1, 2):
        answer = requests.put(
            f"{served.url}/v1/customers/{customer}/attachments/{number}.jpg",
            data=JPEG,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=10,
        )
        answer.raise_for_status()
        named.append(answer.json()["attachment"])
    return named
