"""YAML text -> `Tree`, by libyaml, with nothing typed and the depth bounded while it reads."""

from collections.abc import Callable
from functools import cache
from typing import Any, cast

import yaml
from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode

from flowmill.diagnostics import Diagnostic
from flowmill.reading.characters import character_problems
from flowmill.reading.document import DEPTH_LIMIT, DocumentCheck
from flowmill.reading.nodes import UNTYPED, extent
from flowmill.reading.source import Source
from flowmill.reading.syntax import missing_space, syntax_problem
from flowmill.reading.tree import Tree


class _Stream:
    """What a parser reads from; the name goes into every mark."""

    def __init__(self, source: Source) -> None:
        self.name = source.path
        self._text = source.text

    def read(self, size: int = -1) -> str:
        text, self._text = self._text, ""
        return text


class _TooDeep(MarkedYAMLError): ...


class _Untyped:
    """What a parser asks for the type of each node: it is the same for all of them."""

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        return UNTYPED


def _level_counter() -> tuple[Callable[..., None], Callable[[], None]]:
    """What a parser calls before and after each node; closures, because a method would cost a fifth more."""
    level = 0

    def descend(parent: Node, index: Node | int | None) -> None:
        nonlocal level
        level += 1
        if level > DEPTH_LIMIT:
            raise _TooDeep(problem_mark=(index if isinstance(index, Node) else parent).start_mark)

    def ascend() -> None:
        nonlocal level
        level -= 1

    return descend, ascend


@cache
def _parser_class() -> Callable[[_Stream], Any]:
    """The class of parsers: libyaml's, or PyYAML's own where it was built without."""
    if yaml.__with_libyaml__:
        from yaml._yaml import CParser

        return type("_Parser", (_Untyped, CParser), {})
    return type("_Parser", (_Untyped, yaml.BaseLoader), {})


def _compose(source: Source) -> Node | None:
    parser = _parser_class()(_Stream(source))
    parser.descend_resolver, parser.ascend_resolver = _level_counter()
    return cast(Node | None, parser.get_single_node())


def parse_tree(source: Source) -> Tree | list[Diagnostic]:
    """Read a document, or say everything that is wrong with it as YAML."""
    problems = character_problems(source)
    directive = f"\n{source.text}".find("\n%")
    if directive >= 0:  # libyaml compares each %TAG with all others, which takes seconds for a megabyte
        message = "directives such as `%YAML` are not supported"
        found = source.diagnostic(directive, directive + 1, "yaml-directive", message, "remove the line")
        return [*problems, found]
    try:
        root = _compose(source)
    except MarkedYAMLError as error:
        return [*problems, _explain(source, error)]
    except (yaml.YAMLError, UnicodeError):  # the characters that are reported already
        return problems
    if not isinstance(root, MappingNode):
        return [*problems, _wrong_root(source, root)]
    check = DocumentCheck(source, problems)
    check.visit(root, 1)
    return check.problems or Tree(root, {source.path: source}, tuple(check.warnings))


def _explain(source: Source, error: MarkedYAMLError) -> Diagnostic:
    at, start = error.problem_mark, error.context_mark or error.problem_mark
    if at is None or start is None or _holds_nothing(source.text):
        return _wrong_root(source, None)
    if isinstance(error, _TooDeep):
        message = f"values are nested more than {DEPTH_LIMIT} levels deep"
        return source.diagnostic(at.index, at.index + 1, "yaml-depth", message)
    return syntax_problem(source, f"{error.context}; {error.problem}", start.index, at.index)


def _wrong_root(source: Source, root: Node | None) -> Diagnostic:
    if root is None or _holds_nothing(source.text):
        only = "holds only comments" if "#" in source.text else "holds only document markers"
        return source.diagnostic(0, 0, "yaml-empty", f"the file {only if source.text.strip() else 'is empty'}")
    kind = "text" if isinstance(root, ScalarNode) else "a list"
    start, end = extent(root, source.text)
    message, hint, *_ = missing_space(source, start) or (f"expected `key: value`, got {kind}", "")
    return source.diagnostic(start, end, "yaml-root", message, hint)


def _holds_nothing(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return all(line in ("", "---", "...") or line.startswith("#") for line in lines)
