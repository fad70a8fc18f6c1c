"""What YAML allows and a spec does not: duplicate keys, tags, merge keys, aliases without end."""

import re
from dataclasses import replace

from yaml import MappingNode, Node, ScalarNode

from flowmill.diagnostics import Diagnostic, Related, Severity, TextEdit
from flowmill.reading.characters import FORBIDDEN, forbidden_character
from flowmill.reading.nodes import NULLS, UNTYPED, children, extent
from flowmill.reading.source import Source
from flowmill.reading.syntax import inserted, quotes_around

DEPTH_LIMIT = 64
"""Levels of a document, its values counted: libyaml's composer ends the process at about 24,000."""
ALIAS_NODES_LIMIT = 1_000
"""Values that aliases may add to a document by repeating others."""
ALIAS_TEXT_LIMIT = 256 * 1024
"""Characters that aliases may add to a document by repeating others."""

_PROBLEMS_REPORTED = 100
_TAG = re.compile(r"(?:&\S+\s+)?(![^\s,\[\]{}]*)")
_NUMBER_OF_ISSUE = re.compile(r"#\d+\b")
_REMARK = re.compile(r"[ \t]#(?=\s)")
_CUT_BY_COMMENT = re.compile(r"[ \t]+(#[^\s#].*)")


class DocumentCheck:
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
            if not isinstance(key, ScalarNode) or (not key.style and key.value in NULLS):
                hint = "an expression is written `${{ … }}`" if node.flow_style else ""
                self._add(key, "yaml-key", "a key must be text", hint)
                self.problems[-1] = replace(self.problems[-1], fix=self._as_expression(node))
            elif key.value == "<<" and not key.style:
                hint = "put what flows share under `defaults:`"
                self._add(key, "yaml-merge-key", "merge keys (`<<`) are not supported", hint)
            elif keys.setdefault(key.value, key) is not key:
                first = self.source.span(*extent(keys[key.value], self.source.text))
                message = f"`{key.value}` is given twice; the first is on line {first.line}"
                self._add(key, "duplicate-key", message, "", Related(first, "first given here"))
            if self._visits_scalars or type(value) is not ScalarNode:
                self.visit(value, level + 1)

    def _as_expression(self, node: Node) -> tuple[TextEdit, ...]:
        """The edit that makes an expression of `{{ name }}`, which is YAML for a map that is the key of a map."""
        start = node.start_mark.index
        return inserted(self.source, ((start, "$"),) if self.source.text.startswith("{{", start) else ())

    def _add(self, node: Node, code: str, message: str, hint: str = "", *related: Related) -> None:
        span = extent(node, self.source.text)
        self.problems.append(self.source.diagnostic(*span, code, message, hint, *related))

    def _check_tag(self, node: Node) -> None:
        match = _TAG.match(self.source.text, node.start_mark.index)
        if match is not None or node.tag != UNTYPED:
            start, end = match.span(1) if match else (node.start_mark.index, node.end_mark.index)
            message = "tags are not supported: values are the text that is written"
            hint = "remove the tag, or quote the value if it is text"
            self.problems.append(self.source.diagnostic(start, end, "yaml-tag", message, hint))

    def _check_scalar(self, node: ScalarNode) -> None:
        if node.style == '"' and (match := FORBIDDEN.search(node.value)):
            span = extent(node, self.source.text)
            self.problems.append(forbidden_character(self.source, *span, match[0]))
        elif node.style or len(self.warnings) >= _PROBLEMS_REPORTED:
            return
        elif cut := _CUT_BY_COMMENT.match(self.source.text, node.end_mark.index):
            message = "the value ends before this `#`, which begins a comment"
            hint = "quote the value, or write the comment as `# …`"
            found = self.source.diagnostic(*cut.span(1), "comment-in-value", message, hint)
            self.warnings.append(replace(found, severity=Severity.WARNING, fix=self._with_comment(node, cut)))

    def _with_comment(self, node: ScalarNode, cut: re.Match[str]) -> tuple[TextEdit, ...]:
        """The edit that quotes a value together with what was cut off it, where that is the number of an issue."""
        is_number = _NUMBER_OF_ISSUE.match(cut[1]) and "\n" not in node.value and node.value
        start, _ = extent(node, self.source.text)
        whole = _REMARK.split(self.source.text[start : cut.end()])[0].rstrip()
        return inserted(self.source, quotes_around(whole, start)) if is_number else ()

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
            for child in children(node):
                self._repeat(child, level + 1, repeated)

    def _refuse_aliases(self, node: Node, message: str) -> None:
        self._is_repeating_too_much = True
        self._add(node, "yaml-alias", message, "write the values out")
