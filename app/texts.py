"""The texts of the contract: their fields, their validators, and the rules for their characters.

A text is refused, or sent to Huawei unchanged: it is never normalised or stripped. Huawei
publishes no such rules; these are ours. They refuse characters that no name has or that a reader
cannot see: control, unassigned and private-use code points, line breaks, bidirectional controls,
invisible characters where no script needs them, and blank and padded texts.
"""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any
from unicodedata import category

from marshmallow import ValidationError, fields

from app.fields import Explained, Rule

# Customer ids are parts of our paths and of signed paths, so no other characters are allowed.
CUSTOMER_ID = "[A-Za-z0-9_-]{1,64}"


class Flaw(StrEnum):
    """The rule that a text breaks."""

    CHARACTERS = "characters"
    BLANK = "blank"
    PADDED = "padded"


# Planes 2 and 3 are reserved for Han characters. Names of Chinese citizens use some of them that
# are newer than this Python's Unicode version (extension I, 2023), so unassigned code points are
# accepted in these planes.
_HAN_PLANES = re.compile("[\U00020000-\U0002fffd\U00030000-\U0003fffd]")
# Characters whose category is letter, mark or sign, but which are invisible (joiner, Hangul and
# Khitan fillers, Khmer inherent vowels, selectors, Braille and musical blanks), or which replace
# lost text.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc\ufffd"
    "\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
# Invisible characters that real names need, each after the character that it acts on.
_NEEDED = re.compile(
    # Joiners in Arabic, Indic and South-East Asian scripts, Mongolian, Rohingya and Adlam. They may
    # end a name: Malayalam writes a final letter as consonant, virama and joiner.
    "(?<=[\u0600-\u109f\u1700-\u18af\u1900-\u1c7f\ua980-\ua9df\U00010d00-\U00010d3f"
    "\U00011000-\U00011fff\U0001e900-\U0001e95f])[\u200c\u200d]"
    # Selectors of the variant of a Han character (Japanese family registers) or Myanmar letter.
    "|(?<=[\u1000-\u109f\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uaa60-\uaa7f\uf900-\ufaff"
    "\U00020000-\U0003fffd])[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    # Mongolian selectors, and its separator in front of a final vowel.
    "|(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]"
    "|(?<=[\u180b-\u180d\u180f\u1820-\u18aa])\u180e"
)


def flaw_of(text: str) -> Flaw | None:
    """The first rule that a text breaks; None if there is none.

    An empty text breaks none of these rules: validators of the length refuse it.
    """
    rest = text if text.isascii() else _NEEDED.sub("", text)
    if _INVISIBLE.search(rest) or not (rest.isprintable() or all(map(_is_allowed, rest))):
        return Flaw.CHARACTERS
    if text and all(category(character)[0] in "MZ" for character in rest):
        return Flaw.BLANK
    return Flaw.PADDED if text[:1].isspace() or text[-1:].isspace() else None


def _is_allowed(character: str) -> bool:
    # `isprintable` refuses controls, format characters, separators and unassigned code points.
    return bool(
        character.isprintable() or category(character) == "Zs" or _HAN_PLANES.match(character)
    )


class PlainText(Explained, fields.String):
    """A string that keeps the rules for all texts of the contract.

    Lone surrogates are refused, because UTF-8 cannot encode them.
    """

    rules = Explained.rules | {
        Flaw.CHARACTERS: Rule(
            "CHARACTERS",
            "must not have control, invisible, private-use or unassigned characters, line breaks "
            "or controls of the writing direction",
        ),
        Flaw.BLANK: Rule("BLANK", "must not be blank"),
        Flaw.PADDED: Rule("PADDED", "must not begin or end with a space"),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.make_error("invalid") from None
        if flaw := flaw_of(text):
            raise self.make_error(flaw)
        return text


class Texts(Explained, fields.List[str]):
    """A list of strings."""

    rules = Explained.rules | {"invalid": Rule("WRONG_TYPE", "must be a list")}


def length(
    minimum: int, maximum: int, of: str = "characters", code: str = "LENGTH"
) -> Callable[[Any], None]:
    """A validator for the number of characters of a text or of entries of a list.

    Args:
        minimum: The smallest number.
        maximum: The largest number.
        of: The noun in the rule's text.
        code: The rule's code.
    """
    rule = Rule(code, f"must have {minimum} to {maximum} {of}")

    def check(value: Any) -> None:
        if not minimum <= len(value) <= maximum:
            raise ValidationError([rule])

    return check


def pattern(expression: str, rule: Rule) -> Callable[[str], None]:
    """A validator by a regular expression.

    The contract does not publish the expression: when a published pattern does not match,
    generated clients print the value.

    Args:
        expression: The expression, which must match the whole text.
        rule: The rule that a text breaks if it does not match.
    """
    matches = re.compile(expression).fullmatch

    def check(value: str) -> None:
        if not matches(value):
            raise ValidationError([rule])

    return check


COUNTRY = pattern("[A-Z]{2}", Rule("COUNTRY", "must be a two-letter code in capitals, as CN"))


def one_of(choices: Iterator[str] | tuple[str, ...]) -> Callable[[str], None]:
    """A validator that accepts only the given choices."""
    allowed = tuple(choices)
    rule = Rule("NOT_ALLOWED", f"must be one of {', '.join(allowed)}")

    def check(value: str) -> None:
        if value not in allowed:
            raise ValidationError([rule])

    return check


def letter(rule: Rule) -> Callable[[str], None]:
    """A validator that requires a letter of any script."""

    def check(value: str) -> None:
        if not any(map(_is_letter, value)):
            raise ValidationError([rule])

    return check


def _is_letter(character: str) -> bool:
    return bool(character.isalpha() or _HAN_PLANES.match(character))
