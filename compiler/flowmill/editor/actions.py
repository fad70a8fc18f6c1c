"""Fixes of diagnostics as code actions."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from lsprotocol import types

from flowmill.diagnostics import Diagnostic
from flowmill.editor.positions import Positions, absolute
from flowmill.fixing.edits import compatible
from flowmill.reading.source import Source

PositionsOf = Callable[[Path], Positions]
UriOf = Callable[[Path], str]


def code_actions(
    diagnostics: Iterable[Diagnostic], path: Path, asked: types.Range, positions_of: PositionsOf, uri_of: UriOf
) -> list[types.CodeAction]:
    """The fixes of what is wrong in a range of a document, and one for all that can be fixed in it."""
    fixable = [it for it in diagnostics if it.fix and absolute(it.span.path) == path]
    positions = positions_of(path)
    here = [it for it in fixable if _meet(positions.range(it.span), asked)]
    found = [_action(f"fix: {it.message}", [it], positions_of, uri_of, types.CodeActionKind.QuickFix) for it in here]
    if fixable:
        title = "fix everything in this file that flowmill can fix"
        together = compatible(Source(str(path), positions.text), fixable)
        found.append(_action(title, together, positions_of, uri_of, types.CodeActionKind.SourceFixAll))
    return found


def _meet(one: types.Range, other: types.Range) -> bool:
    def key(position: types.Position) -> tuple[int, int]:
        return position.line, position.character

    return key(one.start) <= key(other.end) and key(other.start) <= key(one.end)


def _action(
    title: str, diagnostics: list[Diagnostic], positions_of: PositionsOf, uri_of: UriOf, kind: types.CodeActionKind
) -> types.CodeAction:
    changes: dict[str, list[types.TextEdit]] = defaultdict(list)
    for edit in (edit for it in diagnostics for edit in it.fix):
        path = absolute(edit.span.path)
        changes[uri_of(path)].append(types.TextEdit(positions_of(path).range(edit.span), edit.text))
    preferred = kind is types.CodeActionKind.QuickFix
    return types.CodeAction(
        title=title, kind=kind, edit=types.WorkspaceEdit(changes=dict(changes)), is_preferred=preferred
    )
