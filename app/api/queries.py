"""marshmallow's fields of queries. Their errors never hold a value."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from app.fields import Explained, Rule, utc
from app.texts import CUSTOMER_ID

MOST_CUSTOMERS = 100  # ids in one query (mt_01006)
_is_customer = re.compile(CUSTOMER_ID).fullmatch


class Choice(Explained, fields.String):
    """A word of ours in a query; it loads as Huawei's code.

    Args:
        name: The name of the list of words in the contract.
        codes: Huawei's codes by our words.
        description: What the words say.
        required: Whether the query must have it.
    """

    def __init__(
        self, name: str, codes: Mapping[str, str], description: str, *, required: bool = False
    ) -> None:
        enum = {"enum_name": name, "enum": list(codes), "description": description}
        super().__init__(metadata=enum, required=required)
        self.codes = codes
        rule = Rule("NOT_ALLOWED", f"must be one of {', '.join(codes)}")
        self.rules = Explained.rules | {"not_allowed": rule}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        word = super()._deserialize(value, attr, data, **kwargs)
        if word not in self.codes:
            raise self.make_error("not_allowed")
        return self.codes[word]


class RequestTime(Explained, fields.AwareDateTime):
    """A time in a query, RFC 3339 with its offset; it loads as Huawei's text in UTC."""

    rules = Explained.rules | {
        name: Rule("WRONG_TYPE", "must be a time such as 2026-11-02T08:00:00Z")
        for name in ("invalid", "invalid_awareness", "format")
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        time = super()._deserialize(value, attr, data, **kwargs)
        try:
            return utc(time)
        except OverflowError:  # in UTC, the time is before the year 1 or after the year 9999
            raise self.make_error("invalid") from None


class Customer(Explained, fields.String):
    """The id of a customer in a query."""

    rules = Explained.rules | {
        "id": Rule("CUSTOMER_ID", "must be 1 to 64 letters, digits, `_` or `-`")
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _is_customer(text):
            raise self.make_error("id")
        return text


class Customers(Explained, fields.String):
    """Ids of customers in a query, separated by commas; loads as a list without repetitions."""

    rules = Explained.rules | {
        "ids": Rule("CUSTOMER_IDS", f"must be 1 to {MOST_CUSTOMERS} ids separated by commas")
    }

    def __init__(self, **kwargs: Any) -> None:
        text = f"1 to {MOST_CUSTOMERS} ids, separated by commas"
        super().__init__(metadata={"description": text}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        ids = list(dict.fromkeys(super()._deserialize(value, attr, data, **kwargs).split(",")))
        if len(ids) > MOST_CUSTOMERS or not all(map(_is_customer, ids)):
            raise self.make_error("ids")
        return ids
