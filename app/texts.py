"""The rule on every text of the contract: what names, numbers and addresses may be made of.

A text goes to Huawei exactly as it came: it is refused or sent, never normalised or stripped.
Huawei publishes no such rule; this one is ours. It refuses what no person or company has in a name
and what a reader cannot see: control, unassigned and private-use code points, line breaks,
bidirectional controls, invisible characters where no script needs them, blank and padded texts.
"""

import re
from enum import StrEnum
from unicodedata import category


class Flaw(StrEnum):
    """What is wrong with a text."""

    CHARACTERS = "characters"
    BLANK = "blank"
    PADDED = "padded"


# Unicode fills planes 2 and 3 with Han characters, and some in names of Chinese citizens came later
# than the version that this Python knows (extension I, 2023): not assigned here is no flaw there.
_HAN_TO_COME = re.compile("[\U00020000-\U0002fffd\U00030000-\U0003fffd]")
# Letters, marks and signs by category that show nothing (joiner, Hangul and Khitan fillers, Khmer
# inherent vowels, selectors, Braille and musical blanks), or stand for a text that was lost.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc\ufffd"
    "\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
# The invisible characters without which real names are misspelt, each behind what it acts on.
_NEEDED = re.compile(
    # Joiners in Arabic, Indic and South-East Asian scripts, Mongolian, Rohingya and Adlam. They may
    # end a name: Malayalam writes a final letter as consonant, virama and joiner.
    "(?<=[\u0600-\u109f\u1700-\u18af\u1900-\u1c7f\ua980-\ua9df\U00010d00-\U00010d3f"
    "\U00011000-\U00011fff\U0001e900-\U0001e95f])[\u200c\u200d]"
    # Selectors of a Han variant (Japanese registers of families) or of a Myanmar letter's.
    "|(?<=[\u1000-\u109f\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uaa60-\uaa7f\uf900-\ufaff"
    "\U00020000-\U0003fffd])[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    # Mongolian selectors, and its separator in front of a final vowel.
    "|(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]"
    "|(?<=[\u180b-\u180d\u180f\u1820-\u18aa])\u180e"
)


def flaw_of(text: str) -> Flaw | None:
    """The first flaw of a text; None if it has none, or is empty, which is a matter of length."""
    rest = text if text.isascii() else _NEEDED.sub("", text)
    if _INVISIBLE.search(rest) or not (rest.isprintable() or all(map(_is_taken, rest))):
        return Flaw.CHARACTERS
    if text and all(category(one)[0] in "MZ" for one in rest):
        return Flaw.BLANK
    return Flaw.PADDED if text[:1].isspace() or text[-1:].isspace() else None


def _is_taken(character: str) -> bool:
    # Python calls controls, format characters, separators and the unassigned not printable.
    return bool(
        character.isprintable() or category(character) == "Zs" or _HAN_TO_COME.match(character)
    )


def has_letter(text: str) -> bool:
    """Whether a text has a letter of any script."""
    return any(one.isalpha() or _HAN_TO_COME.match(one) for one in text)
