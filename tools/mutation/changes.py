"""The changes of a module, as JSON: by cosmic-ray's operators, and by leaving a part out.

Runs as a program in cosmic-ray's own environment: `python changes.py app/state/memory.py`.
"""

import ast
import json
import sys
from collections.abc import Iterator
from itertools import accumulate, count
from pathlib import Path

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

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


def without_a_part(source: str) -> Iterator[str]:
    """The module without a call whose result nothing takes, or a part of a set or dictionary."""
    text = source.encode()
    starts = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]

    def place(line: int | None, column: int | None) -> int:
        return starts[(line or 0) - 1] + (column or 0)

    for node in ast.walk(ast.parse(source)):
        parts = [
            (place(one.lineno, one.col_offset), place(last.end_lineno, last.end_col_offset))
            for one, last in _parts(node)
        ]
        for number, (start, end) in enumerate(parts):
            if isinstance(node, ast.Expr):
                yield (text[:start] + b"pass" + text[end:]).decode()
            elif number + 1 < len(parts):
                yield (text[:start] + text[parts[number + 1][0] :]).decode()
            else:
                yield (text[: parts[number - 1][1] if number else start] + text[end:]).decode()


def _parts(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    """Where each part that can be left out begins and ends."""
    match node:
        case ast.Expr(value=ast.Call() as call):
            return [(call, call)]
        case ast.Set(elts=parts):
            return [(part, part) for part in parts]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return [(key, value) for key, value in pairs if key is not None]  # no `**other`
    return []


def meaning(source: str) -> str | None:
    """The module without annotations and double negations; None if it is no Python.

    cosmic-ray takes the star of `(*parts, end)` for a multiplication.
    """
    try:
        tree = ast.parse(source.replace("not not ", ""))
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
    return ast.dump(tree)


if __name__ == "__main__":
    before = Path(sys.argv[1]).read_text(encoding="utf-8")
    changed = (*by_operators(before), *without_a_part(before))
    different = {meaning(after): after for after in changed}
    for nothing in (None, meaning(before)):
        different.pop(nothing, None)
    json.dump([*different.values()], sys.stdout)
