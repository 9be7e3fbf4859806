"""Huawei's rules on names and document numbers, which hold on both backends."""

from app.fields import Rule
from app.texts import letter, pattern

# Huawei's rule on names. It does not say what is special, so any script's letters pass.
has_letter = letter(
    Rule("NAME", "must have a letter, not only digits, spaces and special characters")
)
# Source of both: the zh-cn page of verified-info (zh-cn_topic_0076214635, 2025-08-28). For the
# review backend only the length is published.
person_number = pattern(
    r"[0-9a-zA-Z]{1,32}", Rule("NUMBER", "must be 1 to 32 letters and digits, without spaces")
)
# The page says "does not contain" before a class that is negated itself; read as: none of these.
company_number = pattern(
    r"[^!@#$%^&*<>\\]{1,32}",
    Rule("NUMBER", "must be 1 to 32 characters, none of ! @ # $ % ^ & * < > \\"),
)

country_code = pattern("[A-Z]{2}", Rule("COUNTRY", "must be a two-letter code in capitals, as CN"))
