"""The language inside `${{ … }}`: Jinja2's expression grammar, cut down to what cannot do harm.

Jinja2's sandbox alone is not enough: `'x' * 10**9` is legal in it. So only listed kinds of syntax, functions,
filters and tests are allowed, attributes are looked up in our own values only, and arithmetic is for numbers
and times. Everything here is pure: no expression can read a file, call a method or reach a module.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flowmill.diagnostics import Part
from flowmill.expressions.arguments import unfit_arguments
from flowmill.expressions.functions import FILTERS, FUNCTIONS, TIME_ATTRIBUTES
from flowmill.expressions.keyed import Keyed
from flowmill.expressions.problem import Problem
from flowmill.expressions.refusal import CHARACTERS_AT_MOST, Refusal, refused
from flowmill.expressions.times import Span, calculated, given, part_of
from flowmill.expressions.unreadable import CLOSE, OPEN, unreadable

RESULT_LIMIT = CHARACTERS_AT_MOST
"""Characters that one expression may yield."""
BITS_AT_MOST = 4096
"""How large a whole number may become."""

Path = tuple[str, ...]
"""A name and the attributes behind it: `steps.load.stdout` -> ("steps", "load", "stdout")."""

_ALLOWED = (
    nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Call, nodes.Filter, nodes.Test,
    nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub,
    nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat, nodes.List,
    nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword,
)  # fmt: skip
_TESTS = frozenset({"defined", "none", "number", "string", "boolean", "odd", "even", "in", "mapping", "sequence"})


STATUS_FUNCTIONS = frozenset({"success", "failure", "always"})
"""What an `if` may ask about the steps before; whoever evaluates it supplies them."""


class ExpressionError(Exception):
    """An expression could not be evaluated; the message names no value, since it may be a secret."""


class Language(ImmutableSandboxedEnvironment):
    """Jinja2 with our functions, strict about undefined names, blind to the attributes of Python objects."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False)
        self.globals = dict(FUNCTIONS)
        self.filters = dict(FILTERS)
        self.tests = {name: test for name, test in self.tests.items() if name in _TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict):
            return given(obj[attribute]) if attribute in obj else self.undefined(obj=None, name=attribute)
        if isinstance(obj, Keyed):
            return self._key(obj, attribute)
        if isinstance(obj, datetime) and attribute in TIME_ATTRIBUTES:
            return part_of(obj, attribute)
        return self.undefined(obj=None, name=attribute)

    def _key(self, obj: Keyed, name: str) -> Any:
        try:
            return given(obj.attribute(name))
        except KeyError:
            return self.undefined(obj=None, name=name)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Keyed) and isinstance(argument, str):
            return self._key(obj, argument)
        try:
            return given(obj[argument])
        except (LookupError, TypeError):
            return self.undefined(obj=None, name=str(argument)[:40])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic is for numbers and times: on text it makes a gigabyte out of one character."""
        for side in (left, right):
            if not isinstance(side, int | float | Span | datetime):
                raise refused(side, f"`{operator}` works on numbers and times", "join texts with `~`")
        try:
            if isinstance(left, datetime) or isinstance(right, datetime):
                return calculated(operator, left, right)
            return _printable(super().call_binop(context, operator, left, right))
        except TypeError:
            hint = "lengths of time are written `days(1)`, `hours(2)`"
            raise Refusal(f"`{operator}` does not work on {_noun(left)} and {_noun(right)}", hint) from None


def _printable(value: Any) -> Any:
    """Python refuses to print integers of more than 4,300 digits."""
    if isinstance(value, int) and value.bit_length() > BITS_AT_MOST:
        raise Refusal("it yields a number with more than a thousand digits")
    return value


def _noun(value: Any) -> str:
    if isinstance(value, datetime):
        return "a time"
    return "a length of time" if isinstance(value, Span) else "a number"


@lru_cache(maxsize=1)
def language() -> Language:
    """The one environment; it holds no state."""
    return Language()


@dataclass(frozen=True)
class Parsed:
    """A well-formed expression: its source and its syntax tree."""

    source: str
    tree: nodes.Expr

    @cached_property
    def references(self) -> tuple[Path, ...]:
        """Every name that it looks up, as far as its attributes are written out, in order of appearance."""
        return tuple(dict.fromkeys(_references(self.tree)))

    @property
    def asks_for_status(self) -> bool:
        """Whether it uses one of `STATUS_FUNCTIONS`."""
        return any(path[0] in STATUS_FUNCTIONS for path in self.references)

    @cached_property
    def compiled(self) -> Any:
        return language().compile_expression(self.source, undefined_to_none=False)

    def place(self, path: Path) -> Part:
        """Where the last word of `path` stands in the source."""
        pattern = r"\s*(?:\.\s*|\[\s*['\"])".join(map(re.escape, path))
        match = re.search(rf"(?<![\w.]){pattern}(?!\w)", self.source)
        if not match:
            return Part(0, len(self.source))
        return Part(match.end() - len(path[-1]), match.end())

    def evaluate(self, scope: dict[str, Any]) -> Any:
        """The value of the expression.

        Raises:
            ExpressionError: a name has no value, or an operation does not fit its operands.
        """
        value = self._evaluate(scope)
        if isinstance(value, StrictUndefined):
            hint = f": {value._undefined_hint}" if value._undefined_hint else ""
            raise ExpressionError(f"`{self.source.strip()}` has no value{hint}")
        if isinstance(value, str) and len(value) > RESULT_LIMIT:
            raise ExpressionError(f"`{self.source.strip()}` yields more than {RESULT_LIMIT} characters")
        return value

    def _evaluate(self, scope: dict[str, Any]) -> Any:
        try:
            return self.compiled(**{name: given(value) for name, value in scope.items()})
        except ExpressionError:
            raise
        except Exception as error:  # noqa: BLE001 - see below
            # Whatever a filter raises on odd input is the user's to mend. Its text may quote a secret,
            # so only its kind is told, unless it is one of our own, which promise not to.
            raise ExpressionError(f"`{self.source.strip()}` {_reason(error)}") from None


def _reason(error: Exception) -> str:
    from jinja2 import UndefinedError

    if isinstance(error, UndefinedError):
        return f"uses a name that has no value: {error.message}"
    return f"cannot be evaluated{f': {error}' if isinstance(error, Refusal) else f' ({type(error).__name__})'}"


@lru_cache(maxsize=4096)
def parse(source: str) -> Parsed | tuple[Problem, ...]:
    """Parse one expression; what is not allowed in it comes back as problems."""
    whole = Part(0, len(source))
    if not source.strip():
        return (Problem("bad-expression", "this expression is empty", whole),)
    if len(source) > 2000:
        return (Problem("bad-expression", "this expression is longer than 2000 characters", whole),)
    parser = Parser(language(), OPEN + source + CLOSE)
    try:
        tree = _tree(parser)
    except TemplateSyntaxError as error:
        return unreadable(source, parser, error)
    except RecursionError:
        return (Problem("bad-expression", "this expression is nested too deeply", whole),)
    parsed = Parsed(source, tree)
    return tuple(_forbidden(parsed)) or parsed


def _tree(parser: Parser) -> nodes.Expr:
    body = parser.parse().body
    if len(body) == 1 and isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1:
        expression = body[0].nodes[0]
        if isinstance(expression, nodes.Expr) and not isinstance(expression, nodes.TemplateData):
            return expression
    raise TemplateSyntaxError("expected one expression", 1)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _forbidden(parsed: Parsed) -> Iterator[Problem]:
    yield from _uncalled(parsed)
    for node in _walk(parsed.tree):
        if not isinstance(node, _ALLOWED):
            yield Problem("bad-expression", f"{_kind(node)} is not allowed in an expression", _everything(parsed))
        elif isinstance(node, nodes.Call):
            yield from _unknown_function(node, parsed)
        elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
            yield _unknown_word("filter", node.name, FILTERS, parsed)
        elif isinstance(node, nodes.Test) and node.name not in _TESTS:
            yield _unknown_word("test", node.name, _TESTS, parsed)
        for unfit in unfit_arguments(node, parsed.source):
            yield Problem("bad-expression", unfit.message, unfit.part, unfit.hint)


def _everything(parsed: Parsed) -> Part:
    return Part(0, len(parsed.source))


def _kind(node: nodes.Node) -> str:
    return f"`{type(node).__name__.lower()}`"


def _uncalled(parsed: Parsed) -> Iterator[Problem]:
    """`success` without parentheses would always count as true."""
    # `failure` is also a map, in `on_failure`.
    used = (nodes.Call, nodes.Getattr, nodes.Getitem)
    called = {id(node.node) for node in _walk(parsed.tree) if isinstance(node, used)}
    for node in _walk(parsed.tree):
        if isinstance(node, nodes.Name) and node.name in STATUS_FUNCTIONS and id(node) not in called:
            message = f"`{node.name}` is a function"
            yield Problem("bad-expression", message, parsed.place((node.name,)), f"write `{node.name}()`")


def _unknown_function(node: nodes.Call, parsed: Parsed) -> Iterator[Problem]:
    if not isinstance(node.node, nodes.Name):
        message = "methods cannot be called in an expression"
        yield Problem("bad-expression", message, _everything(parsed), "use a filter, such as `value | upper`")
    elif node.node.name in STATUS_FUNCTIONS:
        if node.args or node.kwargs:
            yield Problem("bad-expression", f"`{node.node.name}()` takes no arguments", _everything(parsed))
    elif node.node.name not in FUNCTIONS:
        yield _unknown_word("function", node.node.name, {*FUNCTIONS, *STATUS_FUNCTIONS}, parsed)


def _unknown_word(kind: str, word: str, known: Any, parsed: Parsed) -> Problem:
    from flowmill.corrections import certain
    from flowmill.suggest import did_you_mean

    message, hint = f"there is no {kind} `{word}`", did_you_mean(word, known)
    return Problem(f"unknown-{kind}", message, parsed.place((word,)), hint, certain(word, known) or "")


def _references(node: nodes.Node) -> Iterator[Path]:
    path = path_of(node)
    if path is not None:
        if path[0] not in FUNCTIONS:
            yield path
        return
    for child in node.iter_child_nodes():
        yield from _references(child)


def path_of(node: nodes.Node) -> Path | None:
    """The name that a node looks up with its attributes, where all of them are written out."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        before = path_of(node.node)
        return (*before, node.attr) if before else None
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        before = path_of(node.node)
        return (*before, node.arg.value) if before else None
    return None
