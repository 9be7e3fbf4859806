"""Huawei's rules for the fields of a new customer (mc_00016, mc_00023, mc_00024)."""

import re
from collections.abc import Mapping

from marshmallow import ValidationError

from app.errors import FieldError
from app.fields import Rule
from app.texts import length, pattern

EMAIL = (
    length(3, 64),
    pattern("[^@]+@[^@]+", Rule("EMAIL", "must be an e-mail address")),
)
_ACCOUNT_NAME = Rule(
    "ACCOUNT_NAME",
    "must be 5 to 32 letters, digits, `_` or `-`, must begin with a letter, and must not begin "
    "with `op_` or `shadow_`",
)
# The pages of the check and of the creation differ in the signs that a name may begin with.
ACCOUNT_NAME = pattern("(?!op_|shadow_)[A-Za-z][A-Za-z0-9_-]{4,31}", _ACCOUNT_NAME)

CODE = length(6, 6)

_PASSWORD = Rule(
    "PASSWORD",
    "must have 8 to 32 characters of two of these kinds: capital letters, small letters, digits, "
    "other characters; and must be neither the account_name, also in reverse, nor the email",
)
_KINDS = ("[A-Z]", "[a-z]", "[0-9]", "[^A-Za-z0-9]")


def check_password(password: str, account_name: str | None, email: str | None) -> None:
    """Refuse a password that Huawei would refuse.

    Raises:
        ValidationError: the rule, without a value.
    """
    kinds = sum(bool(re.search(kind, password)) for kind in _KINDS)
    name = account_name or ""
    if not 8 <= len(password) <= 32 or kinds < 2 or password in {name, name[::-1], email}:
        raise ValidationError({"password": [_PASSWORD]})


# The fields that Huawei's refusals of a creation name.
REFUSED: Mapping[str, FieldError] = {
    "CBC.99000031": _ACCOUNT_NAME.at("/account_name"),
    "CBC.99000036": _PASSWORD.at("/password"),
}
