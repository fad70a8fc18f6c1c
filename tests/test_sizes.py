"""How long files and functions are at most, as CONTRIBUTING.md says."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = [path for folder in ("compiler", "tasks") for path in sorted((ROOT / folder).rglob("*.py"))]
LINES_OF_A_FILE, LINES_OF_A_FUNCTION = 400, 30


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """The functions of a file, each with its lines besides decorators, arguments and docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield f"{path.name}: {node.name}", (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_no_file_is_too_long() -> None:
    assert FILES
    assert [path.name for path in FILES if len(path.read_text().splitlines()) > LINES_OF_A_FILE] == []


def test_no_function_is_too_long() -> None:
    found = [it for path in FILES for it in functions(path)]
    assert found
    assert [name for name, lines in found if lines > LINES_OF_A_FUNCTION] == []
