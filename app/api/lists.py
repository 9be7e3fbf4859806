"""The one style of lists: `limit` and `after` in, `items`, `total` and `next` out."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from app.fields import Explained, QuerySchema, Rule

MOST = 100  # entries of a page: Huawei's own maximum

_CURSOR = re.compile(rb"after:([0-9]{1,8})")


class _Limit(Explained, fields.Integer):
    """The number of entries of a page. A larger one is refused and never cut."""

    rules = Explained.rules | {
        "invalid": Rule("WRONG_TYPE", f"must be a number from 1 to {MOST}"),
        "too_large": Rule("RANGE", f"must be a number from 1 to {MOST}"),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        number = super()._deserialize(value, attr, data, **more)
        if not 1 <= number <= MOST:
            raise self.make_error("too_large")
        return number


class _After(Explained, fields.String):
    """The place of a page in its list. It is opaque, so that it can change with the upstream."""

    rules = Explained.rules | {"invalid": Rule("INVALID", "must be the `next` of an earlier page")}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        text = super()._deserialize(value, attr, data, **more)
        try:
            found = _CURSOR.fullmatch(urlsafe_b64decode(text.encode("ascii")))
        except ValueError:
            found = None
        if found is None:
            raise self.make_error("invalid")
        return int(found[1])


class LimitSchema(QuerySchema):
    """The number of entries of a page."""

    limit = _Limit(
        load_default=50,
        metadata={
            "description": f"the number of entries of a page, at most {MOST}; without it 50",
            "minimum": 1,
            "maximum": MOST,
        },
    )


class PageSchema(LimitSchema):
    """The query of a list."""

    after = _After(
        load_default=0, metadata={"description": "the `next` of the page before; absent: the first"}
    )


def page(found: Mapping[str, Any], after: int) -> dict[str, Any]:
    """Translate a page of Huawei's list to a page of the contract.

    Args:
        found: The `items` and the `total` that Huawei answered.
        after: The number of entries before the page.
    """
    following = after + len(found["items"])
    more = found["items"] and following < found["total"]
    return {**found, "next": _cursor(following) if more else None}


def _cursor(offset: int) -> str:
    return urlsafe_b64encode(f"after:{offset}".encode()).decode()
