"""Huawei's rules for the fields of a new customer (mc_00016, mc_00023, mc_00024)."""

from app.fields import Rule
from app.texts import length, pattern

EMAIL = (
    length(3, 64),
    pattern("[^@]+@[^@]+", Rule("EMAIL", "must be an e-mail address")),
)
# The pages of the check and of the creation differ in the signs that a name may begin with.
ACCOUNT_NAME = pattern(
    "(?!op_|shadow_)[A-Za-z][A-Za-z0-9_-]{4,31}",
    Rule(
        "ACCOUNT_NAME",
        "must be 5 to 32 letters, digits, `_` or `-`, must begin with a letter, and must "
        "not begin with `op_` or `shadow_`",
    ),
)
