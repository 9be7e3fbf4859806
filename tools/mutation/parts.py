"""The changes of a module that leave a part out, and what a changed module means."""

import ast
from collections.abc import Iterator
from itertools import accumulate


def without_a_part(source: str) -> Iterator[str]:
    """The module without a call whose result nothing takes, or a part of a set or dictionary."""
    text = source.encode()
    starts = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]

    def place(line: int | None, column: int | None) -> int:
        return starts[(line or 0) - 1] + (column or 0)

    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Expr | ast.Set | ast.Dict):
            continue
        parts = [
            (place(one.lineno, one.col_offset), place(last.end_lineno, last.end_col_offset))
            for one, last in _parts(node)
        ]
        for number, (start, end) in enumerate(parts):
            if isinstance(node, ast.Expr):
                yield (text[:start] + b"pass" + text[end:]).decode()
            elif number + 1 < len(parts):
                yield (text[:start] + text[parts[number + 1][0] :]).decode()
            elif number:
                yield (text[: parts[number - 1][1]] + text[end:]).decode()
            else:  # and without a comma after it
                closing = place(node.end_lineno, node.end_col_offset) - 1
                yield (text[:start] + text[closing:]).decode()


def _parts(node: ast.Expr | ast.Set | ast.Dict) -> list[tuple[ast.expr, ast.expr]]:
    """Where each part that can be left out begins and ends."""
    match node:
        case ast.Expr(value=ast.Call() as call):
            return [(call, call)]
        case ast.Set(elts=parts):
            return [(part, part) for part in parts]
        case ast.Dict(keys=keys, values=values):
            return [(key or _stars(value), value) for key, value in zip(keys, values, strict=True)]
    return []


def _stars(value: ast.expr) -> ast.expr:
    """Where the `**` before a value begins."""
    return ast.Constant(None, lineno=value.lineno, col_offset=value.col_offset - 2)


def meaning(source: str) -> str | None:
    """The module without annotations and double negations; None if it is not valid Python.

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
