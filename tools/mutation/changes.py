"""The changes of a module, as JSON: by cosmic-ray's operators, and by leaving a part out.

Runs as a program in cosmic-ray's own environment:
`python -m tools.mutation.changes app/state/memory.py`.
"""

import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

from tools.mutation.parts import meaning, without_a_part

# Of the ways in which cosmic-ray replaces an operator, those that a test can miss. The others
# (`<<` for `+`, `<` for `is`) end nearly always in an exception.
OPERATORS = (
    *("AddNot", "ExceptionReplacer", "NumberReplacer", "ZeroIterationForLoop"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    *("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub"),
    *(
        f"ReplaceBinaryOperator_{pair}"
        for pair in (
            *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul"),
            *("BitOr_BitAnd", "BitAnd_BitOr"),
        )
    ),
    *(
        f"ReplaceComparisonOperator_{pair}"
        for pair in (
            *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is", "Lt_LtE", "Lt_GtE"),
            *("LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
        )
    ),
)
NEVER_RAISED = "BufferError"  # cosmic-ray's own exception is not imported in the changed module


def by_operators(source: str) -> Iterator[str]:
    """The module, changed in one place by an operator."""
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        for occurrence in count():
            try:
                changed = mutate_code(source.encode(), operator, occurrence)
            except AttributeError:  # ExceptionReplacer does not know `except ssl.SSLError`
                continue
            if changed is None:
                break
            yield changed.replace("CosmicRayTestingException", NEVER_RAISED)


if __name__ == "__main__":
    before = Path(sys.argv[1]).read_text(encoding="utf-8")
    changed = (*by_operators(before), *without_a_part(before))
    different = {meaning(after): after for after in changed}
    for nothing in (None, meaning(before)):
        different.pop(nothing, None)
    json.dump([*different.values()], sys.stdout)
