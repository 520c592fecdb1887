"""The reference with one change, for every exercise: which of them gives what the learner's code gives?

Somebody who leaves out a term, takes a sum for a mean or the wrong axis writes the reference with one change. So all
such changes are made by machine, on the reference's syntax tree, and run. Whatever the cause of a mistake is, the
sentence is true: the results are those of the right code with this change.
"""

from __future__ import annotations

import ast
import copy
import functools
import textwrap
from collections.abc import Iterator

from course_utils.exercises import guard, values

SECONDS = 0.5
MAX_VARIANTS = 500
MAX_FRAGMENT_CHARS = 32
SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div}
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//"}
COMPARE = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}
INVERT = {ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
NAMES = {  # functions and methods that are taken for each other
    "sum": ("mean", "max", "prod"), "mean": ("sum", "median", "max"), "max": ("min", "sum", "mean"), "min": ("max",),
    "maximum": ("minimum",), "minimum": ("maximum",), "log": ("log2", "log10"), "log2": ("log", "log10"),
    "log10": ("log", "log2"), "argmax": ("argmin", "max"), "argmin": ("argmax",), "floor": ("ceil", "round"),
    "ceil": ("floor", "round"), "round": ("floor", "ceil"), "zeros": ("ones",), "ones": ("zeros",), "any": ("all",),
    "all": ("any",), "std": ("var",), "var": ("std",), "sin": ("cos",), "cos": ("sin",), "sqrt": ("square",),
    "tanh": ("expit",), "expit": ("tanh",), "sigmoid": ("tanh",), "eigvalsh": ("eigvals",), "cumsum": ("sum",),
}  # fmt: skip


def explain(exercise, runs) -> str:
    """The sentence for an answer that does what the reference with one change does; empty if there is no such change.

    Args:
        runs: one ``guard.Run`` of the answer for each case, in order.
    """
    used = [i for i, run in enumerate(runs) if not run.error]
    found: list[str] = []
    for text, function in _compiled(exercise.reference):
        if text not in found and used and _alike(exercise, function, runs, used):
            found.append(text)
    if not found:
        return ""
    return f"Your results are those of the right code {' or '.join(sorted(found, key=len)[:2])}."


def _alike(exercise, function, runs, used) -> bool:
    for i in used:
        run = guard.run(function, exercise.cases[i], SECONDS)
        if run.error or values.difference(run.value, runs[i].value, exercise.tolerance):
            return False
    return True


@functools.lru_cache(64)
def _compiled(reference) -> tuple:
    """(text, function) for every change of a reference that compiles."""
    from course_utils.exercises.define import source_of

    tree = ast.parse(textwrap.dedent(source_of(reference)))
    made = []
    for text, changed in _changed_trees(tree):
        space = dict(reference.__globals__)
        try:
            exec(compile(ast.fix_missing_locations(changed), "<variant>", "exec"), space)
        except (SyntaxError, ValueError, TypeError):
            continue
        made.append((text, space[reference.__name__]))
        if len(made) >= MAX_VARIANTS:
            break
    return tuple(made)


def _changed_trees(tree) -> Iterator[tuple[str, ast.AST]]:
    """(what was changed, the tree with this change), for every place."""
    definition = tree.body[0]
    parameters = [argument.arg for argument in definition.args.args]
    stored = [
        node.id for node in ast.walk(definition) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    names = list(dict.fromkeys(parameters + stored))
    signature = {id(node) for node in ast.walk(definition.args)}
    for number, node in enumerate(ast.walk(definition)):
        if id(node) in signature or isinstance(node, ast.FunctionDef):
            continue
        for text, make in _changes(node, names):
            changed = copy.deepcopy(tree)
            place = next(n for i, n in enumerate(ast.walk(changed.body[0])) if i == number)
            _replace(changed, place, make(copy.deepcopy(node)))
            yield text, changed


def _replace(tree, old, new) -> None:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
                return
            if isinstance(value, list) and any(entry is old for entry in value):
                value[next(i for i, entry in enumerate(value) if entry is old)] = new
                return


def _shown(node) -> str:
    text = ast.unparse(node).replace("np.", "")
    return text if len(text) <= MAX_FRAGMENT_CHARS else text[: MAX_FRAGMENT_CHARS - 1] + "…"


def _changes(node, names) -> Iterator:
    """(text, function that takes a copy of the node and returns its replacement) for one node."""
    kinds = {
        ast.BinOp: _of_operator, ast.UnaryOp: _of_sign, ast.Call: _of_call, ast.Compare: _of_comparison,
        ast.Constant: _of_number, ast.Attribute: _of_attribute, ast.Tuple: _of_tuple, ast.keyword: _of_keyword,
    }  # fmt: skip
    if type(node) in kinds:
        yield from kinds[type(node)](node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        for other in names:
            if other != node.id:
                yield f"with {other} in place of {node.id}", lambda n, other=other: ast.Name(other, ast.Load())


def _of_operator(node):
    kind = type(node.op)
    left, right = _shown(node.left), _shown(node.right)
    if kind in SWAPS:
        text = f"with {SIGNS[SWAPS[kind]]} in place of {SIGNS[kind]} before {right}"
        yield text, lambda n: ast.BinOp(n.left, SWAPS[kind](), n.right)
    word = {ast.Add: "the term ", ast.Sub: "the term ", ast.Mult: "the factor ", ast.MatMult: "the product with "}
    yield f"without {word.get(kind, '')}{right}", lambda n: n.left
    if kind in word:
        yield f"without {word[kind]}{left}", lambda n: n.right
    if kind in (ast.Sub, ast.Div, ast.MatMult, ast.Pow):
        sign = {ast.Sub: "-", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**"}[kind]
        yield f"with the two sides of {sign} exchanged", lambda n: ast.BinOp(n.right, n.op, n.left)
    if kind is ast.MatMult:
        yield "with * in place of @", lambda n: ast.BinOp(n.left, ast.Mult(), n.right)
        for side in ("left", "right"):
            yield f"with {_shown(getattr(node, side))} transposed", lambda n, side=side: _transposed(n, side)
    yield from _without_brackets(node, kind)


def _transposed(n, side):
    setattr(n, side, ast.Attribute(getattr(n, side), "T", ast.Load()))
    return n


def _without_brackets(node, kind):
    """(a + b) * c as a + b * c; c / (a * b) as c / a * b; and so on."""
    sums, inner = (ast.Add, ast.Sub), "without the brackets around {}"
    if kind in (ast.Mult, ast.Div) and isinstance(node.left, ast.BinOp) and isinstance(node.left.op, sums):
        yield (
            inner.format(_shown(node.left)),
            lambda n: ast.BinOp(n.left.left, n.left.op, ast.BinOp(n.left.right, n.op, n.right)),
        )
    inside = (*sums, ast.Mult) if kind is ast.Div else sums
    if kind in (ast.Mult, ast.Div) and isinstance(node.right, ast.BinOp) and isinstance(node.right.op, inside):
        yield (
            inner.format(_shown(node.right)),
            lambda n: ast.BinOp(ast.BinOp(n.left, n.op, n.right.left), n.right.op, n.right.right),
        )


def _of_sign(node):
    yield "without the " + ("minus sign" if isinstance(node.op, ast.USub) else "not"), lambda n: n.operand


def _of_call(node):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if node.args and name not in ("range", "enumerate", "zip", "len"):
        yield f"without {name}", lambda n: n.args[0]
    elif isinstance(node.func, ast.Attribute) and not node.args:
        yield f"without {name}", lambda n: n.func.value
    for other in NAMES.get(name, ()):
        yield f"with {other} in place of {name}", lambda n, other=other: _renamed(n, other)
    if len(node.args) == 2:
        yield f"with the two arguments of {name} exchanged", lambda n: ast.Call(n.func, n.args[::-1], n.keywords)


def _renamed(n, other):
    if isinstance(n.func, ast.Attribute):
        n.func.attr = other
    else:
        n.func.id = other
    return n


def _of_keyword(node):
    if node.arg == "axis" and isinstance(node.value, ast.Constant | ast.UnaryOp):
        now = ast.literal_eval(node.value)
        for axis in (0, 1, 2, None):
            if axis != now:
                word = "without an axis" if axis is None else f"along axis {axis} in place of {now}"
                yield word, lambda n, axis=axis: ast.keyword("axis", ast.Constant(axis))
    elif node.arg in ("ddof", "keepdims"):
        yield f"without {node.arg}", lambda n: ast.keyword(n.arg, ast.Constant(0))


def _of_comparison(node):
    if len(node.ops) != 1:
        return
    kind = type(node.ops[0])
    sign = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="}
    for table in (COMPARE, INVERT):
        if kind in table:
            other = table[kind]
            text = f"with {sign[other]} in place of {sign[kind]}"
            yield text, lambda n, other=other: ast.Compare(n.left, [other()], n.comparators)


def _of_number(node):
    if type(node.value) not in (int, float):
        return
    others = {node.value + 1, node.value - 1, node.value * 2, node.value / 2, -node.value, 0, 1} - {node.value}
    others |= {1024**3, 1e6} if node.value == 1e9 else set()
    for other in sorted(others):
        other = int(other) if float(other).is_integer() else other
        yield f"with {other} in place of {node.value}", lambda n, other=other: ast.Constant(other)


def _of_attribute(node):
    if node.attr == "T":
        yield f"without the .T of {_shown(node.value)}", lambda n: n.value


def _of_tuple(node):
    shown = [_shown(entry) for entry in node.elts]
    for i in range(len(node.elts)):
        for j in range(i + 1, len(node.elts)):
            yield f"with {shown[i]} and {shown[j]} exchanged", lambda n, i=i, j=j: _exchanged(n, i, j)


def _exchanged(n, i, j):
    n.elts[i], n.elts[j] = n.elts[j], n.elts[i]
    return n
