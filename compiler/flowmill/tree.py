"""YAML text as a `Tree`: plain values, and a place for every key, every value and every part of a scalar.

The language is YAML 1.2 without what makes a text mean something else than a reviewer reads: no tags, no
merge keys, no duplicate keys, no second document. Nothing is typed: a bare scalar stays the text that it was.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import yaml
from yaml import CollectionNode, MappingNode, MarkedYAMLError, Node, ScalarNode

from flowmill import source as reading
from flowmill.diagnostics import Diagnostic, Finding, Part, Related, Route, Severity, Span
from flowmill.source import Source
from flowmill_tasks.fields import Plain

DEPTH_LIMIT = 64
"""Levels of a document, its values counted: libyaml's composer ends the process at about 24,000."""
ALIAS_NODES_LIMIT = 1_000
"""Values that aliases may add to a document by repeating others."""
ALIAS_TEXT_LIMIT = 256 * 1024
"""Characters that aliases may add to a document by repeating others."""

_PROBLEMS_REPORTED = 100
_UNTYPED = "?"
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*(?:#.*\s*)*)+")
_TAG = re.compile(r"(?:&\S+\s+)?(![^\s,\[\]{}]*)")
_CUT_BY_COMMENT = re.compile(r"[ \t]+(#[^\s#].*)")


@dataclass(frozen=True)
class Tree:
    """A document whose root is a map; several files when it was merged by `overlay`."""

    root: MappingNode
    sources: Mapping[str, Source]
    """The files that nodes come from, by the path in their marks."""
    warnings: tuple[Diagnostic, ...] = ()

    @staticmethod
    def empty(path: str) -> "Tree":
        """The document of a file that is not there."""
        mark = yaml.Mark(path, 0, 0, 0, None, 0)
        return Tree(MappingNode(_UNTYPED, [], mark, mark), {path: Source(path, "")})

    def plain(self) -> dict[str, Any]:
        """The document as maps and lists of `Plain` (written bare), `str` (quoted, or a block) and None."""
        return {key.value: _plain(value) for key, value in self.root.value}

    def at(self, route: Route) -> Node | None:
        """The value at a route, or None where there is none."""
        node, _, complete = self._follow(route)
        return node if complete else None

    def subtree(self, route: Route) -> "Tree | None":
        """The map at a route as a document of its own, or None where there is no map."""
        node = self.at(route)
        return replace(self, root=node) if isinstance(node, MappingNode) else None

    def only(self, *keys: str) -> "Tree":
        """The document with these top-level keys alone."""
        return self._filtered(lambda key: key in keys)

    def without(self, *keys: str) -> "Tree":
        """The document with these top-level keys left out."""
        return self._filtered(lambda key: key not in keys)

    def _filtered(self, wanted: Callable[[str], bool]) -> "Tree":
        pairs = [pair for pair in self.root.value if wanted(pair[0].value)]
        return replace(self, root=_like(self.root, pairs))

    def overlay(self, other: "Tree") -> "Tree":
        """A copy with `other` on top: maps merge, everything else of `other` replaces; places stay true."""
        root = _overlaid(self.root, other.root)
        return Tree(root, {**self.sources, **other.sources}, self.warnings + other.warnings)

    def locate(self, finding: Finding) -> Diagnostic:
        """A finding with its place, marked as secret where the source line may show a credential."""
        span = self.span(finding.route, at_key=finding.at_key, part=finding.part)
        related = tuple(
            Related(self.span(other.route, at_key=other.at_key), other.message) for other in finding.related
        )
        source = self.sources[span.path]
        secret = (
            finding.code == "secret-literal"
            or any(isinstance(key, str) and reading.looks_like_credential(key) for key in finding.route)
            or source.may_show_secret(span.line)
        )
        found = Diagnostic(span, finding.code, finding.message, finding.hint, related, finding.severity)
        return replace(found, secret=secret, source_line=source.line(span.line))

    def span(self, route: Route, *, at_key: bool = False, part: Part | None = None) -> Span:
        """The place of a route, or of as much of it as exists.

        Args:
            route: keys and indices from the root.
            at_key: the place of the last key instead of its value's.
            part: a stretch of the scalar at the route, as offsets into its value.
        """
        node, key, complete = self._follow(route)
        if key is not None and ((at_key and complete) or _is_empty(node)):
            node = key
        source = self.sources[node.start_mark.name]
        start, end = _extent(node, source.text)
        if part is not None and complete and node is not key and isinstance(node, ScalarNode):
            return _part_span(source, node, start, end, part)
        return source.span(start, end)

    def _follow(self, route: Route) -> tuple[Node, Node | None, bool]:
        """The value at the longest part of a route that exists, its key, and whether that is all of it."""
        node: Node = self.root
        key: Node | None = None
        for step in route:
            found = _child(node, step)
            if found is None:
                return node, key, False
            key, node = found
        return node, key, True


def _child(node: Node, step: str | int) -> tuple[Node | None, Node] | None:
    if isinstance(node, MappingNode):
        return next((pair for pair in node.value if pair[0].value == step), None)
    if isinstance(node, ScalarNode) or not isinstance(step, int) or not 0 <= step < len(node.value):
        return None
    return None, node.value[step]


def _children(node: Node) -> list[Node]:
    return [child for pair in node.value for child in pair] if isinstance(node, MappingNode) else node.value


def _plain(node: Node) -> Any:
    if isinstance(node, ScalarNode):
        if node.style:
            return node.value
        return None if node.value in _NULLS else Plain(node.value)
    if isinstance(node, MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    return [_plain(item) for item in node.value]


def _like(node: MappingNode, pairs: list[tuple[ScalarNode, Node]]) -> MappingNode:
    return MappingNode(_UNTYPED, pairs, node.start_mark, node.end_mark, node.flow_style)


def _overlaid(below: MappingNode, above: MappingNode) -> MappingNode:
    if not above.value:
        return below
    pairs = {key.value: (key, value) for key, value in below.value}
    for key, value in above.value:
        replaced = pairs.get(key.value, (None, None))[1]
        both_maps = isinstance(replaced, MappingNode) and isinstance(value, MappingNode)
        pairs[key.value] = (key, _overlaid(replaced, value) if both_maps else value)
    return _like(above, list(pairs.values()))


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and bool(node.start_mark.index == node.end_mark.index)


def _extent(node: Node, text: str) -> tuple[int, int]:
    """Where a node's own text begins and ends: without its anchor, and without the blank lines after it."""
    start = _content_start(node, text)
    return start, max(start, _content_end(node, text))


def _content_start(node: Node, text: str) -> int:
    start: int = node.start_mark.index
    match = _PROPERTIES.match(text, start)
    return min(match.end(), node.end_mark.index) if match else start


def _content_end(node: Node, text: str) -> int:
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, CollectionNode):
        if node.flow_style:
            return int(end)
        for child in _children(node)[:-3:-1]:  # an alias stands elsewhere, and so may a child of a merged map
            stands_here = child is not node and child.start_mark.name == node.start_mark.name
            if stands_here and start <= child.start_mark.index <= child.end_mark.index <= end:
                return _content_end(child, text)
    return start + len(text[start:end].rstrip(" \t\r\n"))


def _part_span(source: Source, node: ScalarNode, start: int, end: int, part: Part) -> Span:
    written_end = node.end_mark.index if node.style in ("|", ">") else end
    written, style = source.text[start:written_end], node.style or ""
    first, last = (
        min(start + reading.offset_in_scalar(written, style, node.value, offset), end)
        for offset in (part.start, part.end)
    )
    return source.span(first, last)


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
        return _UNTYPED


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
    problems = reading.character_problems(source)
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
    check = _Check(source, problems)
    check.visit(root, 1)
    return check.problems or Tree(root, {source.path: source}, tuple(check.warnings))


def _explain(source: Source, error: MarkedYAMLError) -> Diagnostic:
    at, start = error.problem_mark, error.context_mark or error.problem_mark
    if at is None or start is None or _holds_nothing(source.text):
        return _wrong_root(source, None)
    if isinstance(error, _TooDeep):
        message = f"values are nested more than {DEPTH_LIMIT} levels deep"
        return source.diagnostic(at.index, at.index + 1, "yaml-depth", message)
    return reading.syntax_problem(source, f"{error.context}; {error.problem}", start.index, at.index)


def _wrong_root(source: Source, root: Node | None) -> Diagnostic:
    if root is None or _holds_nothing(source.text):
        only = "holds only comments" if "#" in source.text else "holds only document markers"
        return source.diagnostic(0, 0, "yaml-empty", f"the file {only if source.text.strip() else 'is empty'}")
    kind = "text" if isinstance(root, ScalarNode) else "a list"
    start, end = _extent(root, source.text)
    message, hint, *_ = reading.missing_space(source, start) or (f"expected `key: value`, got {kind}", "")
    return source.diagnostic(start, end, "yaml-root", message, hint)


def _holds_nothing(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return all(line in ("", "---", "...") or line.startswith("#") for line in lines)


class _Check:
    """One walk over a composed document, for what YAML allows and a spec does not."""

    def __init__(self, source: Source, problems: list[Diagnostic]) -> None:
        self.source = source
        self.problems = problems
        self.warnings: list[Diagnostic] = []
        self._has_tags = "!" in source.text
        self._has_anchors = "&" in source.text
        self._has_details = "\\" in source.text or "#" in source.text
        self._visits_scalars = self._has_tags or self._has_anchors or self._has_details
        self._seen: set[int] = set()
        self._repeated = [0, 0]
        self._is_repeating_too_much = False

    def visit(self, node: Node, level: int) -> None:
        """Check a value and what is in it; `level` counts from the root."""
        if len(self.problems) >= _PROBLEMS_REPORTED:
            return
        if self._has_anchors:
            if id(node) in self._seen:
                self._repeat(node, level, node)
                return
            self._seen.add(id(node))
        if self._has_tags:
            self._check_tag(node)
        if isinstance(node, MappingNode):
            self._visit_map(node, level)
        elif not isinstance(node, ScalarNode):
            for item in node.value:
                if self._visits_scalars or type(item) is not ScalarNode:
                    self.visit(item, level + 1)
        elif self._has_details:
            self._check_scalar(node)

    def _visit_map(self, node: MappingNode, level: int) -> None:
        keys: dict[str, Node] = {}
        for key, value in node.value:
            if len(self.problems) >= _PROBLEMS_REPORTED:
                return
            if self._visits_scalars and isinstance(key, ScalarNode):
                self.visit(key, level + 1)
            if not isinstance(key, ScalarNode) or (not key.style and key.value in _NULLS):
                hint = "an expression is written `${{ … }}`" if node.flow_style else ""
                self._add(key, "yaml-key", "a key must be text", hint)
            elif key.value == "<<" and not key.style:
                hint = "put what flows share under `defaults:`"
                self._add(key, "yaml-merge-key", "merge keys (`<<`) are not supported", hint)
            elif keys.setdefault(key.value, key) is not key:
                first = self.source.span(*_extent(keys[key.value], self.source.text))
                message = f"`{key.value}` is given twice; the first is on line {first.line}"
                self._add(key, "duplicate-key", message, "", Related(first, "first given here"))
            if self._visits_scalars or type(value) is not ScalarNode:
                self.visit(value, level + 1)

    def _add(self, node: Node, code: str, message: str, hint: str = "", *related: Related) -> None:
        span = _extent(node, self.source.text)
        self.problems.append(self.source.diagnostic(*span, code, message, hint, *related))

    def _check_tag(self, node: Node) -> None:
        match = _TAG.match(self.source.text, node.start_mark.index)
        if match is not None or node.tag != _UNTYPED:
            start, end = match.span(1) if match else (node.start_mark.index, node.end_mark.index)
            message = "tags are not supported: values are the text that is written"
            hint = "remove the tag, or quote the value if it is text"
            self.problems.append(self.source.diagnostic(start, end, "yaml-tag", message, hint))

    def _check_scalar(self, node: ScalarNode) -> None:
        if node.style == '"' and (match := reading.FORBIDDEN.search(node.value)):
            span = _extent(node, self.source.text)
            self.problems.append(reading.forbidden_character(self.source, *span, match[0]))
        elif node.style or len(self.warnings) >= _PROBLEMS_REPORTED:
            return
        elif cut := _CUT_BY_COMMENT.match(self.source.text, node.end_mark.index):
            message = "the value ends before this `#`, which begins a comment"
            hint = "quote the value, or write the comment as `# …`"
            found = self.source.diagnostic(*cut.span(1), "comment-in-value", message, hint)
            self.warnings.append(replace(found, severity=Severity.WARNING))

    def _repeat(self, node: Node, level: int, repeated: Node) -> None:
        """Count what an alias repeats, as deep as it goes; a value that contains itself goes too deep."""
        if self._is_repeating_too_much:
            return
        self._repeated[0] += 1
        self._repeated[1] += len(node.value) if isinstance(node, ScalarNode) else 0
        if level > DEPTH_LIMIT:
            self._refuse_aliases(repeated, "an alias makes a value contain itself, or nests values too deep")
        elif self._repeated[0] > ALIAS_NODES_LIMIT or self._repeated[1] > ALIAS_TEXT_LIMIT:
            limits = f"{ALIAS_NODES_LIMIT:,} values or {ALIAS_TEXT_LIMIT:,} characters"
            self._refuse_aliases(repeated, f"aliases repeat more than {limits}")
        elif not isinstance(node, ScalarNode):
            for child in _children(node):
                self._repeat(child, level + 1, repeated)

    def _refuse_aliases(self, node: Node, message: str) -> None:
        self._is_repeating_too_much = True
        self._add(node, "yaml-alias", message, "write the values out")
