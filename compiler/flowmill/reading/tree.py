"""YAML text as a `Tree`: plain values, and a place for every key, every value and every part of a scalar.

The language is YAML 1.2 without what makes a text mean something else than a reviewer reads: no tags, no
merge keys, no duplicate keys, no second document. Nothing is typed: a bare scalar stays the text that it was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from yaml import MappingNode, Node, ScalarNode

from flowmill.diagnostics import Diagnostic, Finding, Part, Related, RelatedRoute, Route, RouteEdit, Span, TextEdit
from flowmill.reading.credentials import looks_like_credential
from flowmill.reading.nodes import child, extent, is_empty, like, overlaid, plain
from flowmill.reading.scalar_places import offset_in_scalar
from flowmill.reading.source import Source

MESSAGE_LIMIT = 500
"""Characters of a message."""


@dataclass(frozen=True)
class Tree:
    """A document whose root is a map; several files when it was merged by `overlay`."""

    root: MappingNode
    sources: Mapping[str, Source]
    """The files that nodes come from, by the path in their marks."""
    warnings: tuple[Diagnostic, ...] = ()

    def plain(self) -> dict[str, Any]:
        """The document as maps and lists of `Plain` (written bare), `str` (quoted, or a block) and None."""
        return {key.value: plain(value) for key, value in self.root.value}

    def at(self, route: Route) -> Node | None:
        """The value at a route, or None where there is none."""
        node, _, complete = self._follow(route)
        return node if complete else None

    def replaces(self, route: Route) -> bool:
        """Whether something else than a map stands on the way to a route, so that nothing from below shows there."""
        node: Node = self.root
        for step in route:
            found = child(node, step)
            if found is None:
                return not (isinstance(node, MappingNode) and isinstance(step, str))
            node = found[1]
        return False

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
        return replace(self, root=like(self.root, pairs))

    def overlay(self, other: "Tree") -> "Tree":
        """A copy with `other` on top: maps merge, everything else of `other` replaces; places stay true."""
        root = overlaid(self.root, other.root)
        return Tree(root, {**self.sources, **other.sources}, self.warnings + other.warnings)

    def locate(self, finding: Finding) -> Diagnostic:
        """A finding with its place, marked as secret where the source line may show a credential."""
        span = self.span(finding.route, at_key=finding.at_key, part=finding.part)
        related = tuple(self._related(other) for other in finding.related)
        source = self.sources[span.path]
        secret = (
            finding.code in ("secret-literal", "hardcoded-secret")
            or any(isinstance(key, str) and looks_like_credential(key) for key in finding.route)
            or source.may_show_secret(span.line)
        )
        message = finding.message  # which may quote a value of any length
        message = message if len(message) <= MESSAGE_LIMIT else f"{message[:MESSAGE_LIMIT]}…"
        found = Diagnostic(span, finding.code, message, finding.hint, related, finding.severity, finding.details)
        return replace(found, fix=self._edits(finding), secret=secret, source_line=source.line(span.line))

    def _edits(self, finding: Finding) -> tuple[TextEdit, ...]:
        """Its edits with their places; none where one of them has no place, or would write a key twice."""
        if any(self.at(it.route) is None or (it.at_key and self._is_taken(it)) for it in finding.fix):
            return ()
        return tuple(TextEdit(self._place(it), it.text) for it in finding.fix)

    def _place(self, edit: RouteEdit) -> Span:
        """Where an edit is made: inside of the quotes of a key."""
        span = self.span(edit.route, at_key=edit.at_key, part=edit.part)
        if edit.at_key and self.sources[span.path].line(span.line)[span.column - 1] in "'\"":
            return replace(span, column=span.column + 1, end_column=span.end_column - 1)
        return span

    def _is_taken(self, edit: RouteEdit) -> bool:
        """Whether the map that a key stands in, as it is written, has one of the new name already."""
        (owner, *_), (_, key, _) = self._follow(edit.route[:-1]), self._follow(edit.route)
        other = child(owner, edit.text)
        return other is not None and other[0] is not None and key is not None and _stand_together(owner, key, other[0])

    def _related(self, other: RelatedRoute | Related) -> Related:
        if isinstance(other, Related):  # which lies in another document
            return other
        return Related(self.span(other.route, at_key=other.at_key), other.message)

    def span(self, route: Route, *, at_key: bool = False, part: Part | None = None) -> Span:
        """The place of a route, or of as much of it as exists.

        Args:
            route: keys and indices from the root.
            at_key: the place of the last key instead of its value's.
            part: a stretch of the scalar at the route, as offsets into its value.
        """
        node, key, complete = self._follow(route)
        if key is not None and ((at_key and complete) or is_empty(node)):
            node = key
        source = self.sources[node.start_mark.name]
        start, end = extent(node, source.text)
        if part is not None and complete and node is not key and isinstance(node, ScalarNode):
            return _part_span(source, node, start, end, part)
        return source.span(start, end)

    def _follow(self, route: Route) -> tuple[Node, Node | None, bool]:
        """The value at the longest part of a route that exists, its key, and whether that is all of it."""
        node: Node = self.root
        key: Node | None = None
        for step in route:
            found = child(node, step)
            if found is None:
                return node, key, False
            key, node = found
        return node, key, True


def _stand_together(owner: Node, *keys: Node) -> bool:
    """Whether keys of a map come from one place: a merged map is where the upmost of its layers is."""
    start, end = owner.start_mark, owner.end_mark
    inside = [key.start_mark.name == start.name and start.index <= key.start_mark.index < end.index for key in keys]
    return all(inside) or not any(inside)


def _part_span(source: Source, node: ScalarNode, start: int, end: int, part: Part) -> Span:
    written_end = node.end_mark.index if node.style in ("|", ">") else end
    written, style = source.text[start:written_end], node.style or ""
    first, last = (
        min(start + offset_in_scalar(written, style, node.value, offset), end) for offset in (part.start, part.end)
    )
    return source.span(first, last)
