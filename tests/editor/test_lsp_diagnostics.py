"""Diagnostics while one types: of what is typed and not of what is saved, across files, in the units of the client."""

from pathlib import Path

from lsprotocol import types

from lint.workspace import FLOW, WORKSPACE, lay_out
from support.lsp_client import Editor, edit

WRONG = FLOW.replace("etl-01", "etl-1")


def test_a_mistake_appears_and_goes_while_one_types(tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/trips.yaml": FLOW})

    async def scenario(editor: Editor) -> None:
        editor.open("demo/trips.yaml")
        await editor.shows("demo/trips.yaml")
        editor.type("demo/trips.yaml", WRONG)
        (found,) = await editor.shows("demo/trips.yaml", "unknown-server")
        assert (found.range.start.line, found.range.start.character, found.range.end.character) == (2, 8, 13)
        assert (found.severity, found.source) == (types.DiagnosticSeverity.Error, "flowmill")
        assert "did you mean `etl-01`?" in found.message
        editor.type("demo/trips.yaml", FLOW)
        await editor.shows("demo/trips.yaml")

    edit(tmp_path, scenario)


def test_what_is_closed_without_saving_counts_as_it_is_saved(tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/trips.yaml": FLOW})

    async def scenario(editor: Editor) -> None:
        editor.open("demo/trips.yaml", WRONG)
        await editor.shows("demo/trips.yaml", "unknown-server")
        editor.close("demo/trips.yaml")
        await editor.shows("demo/trips.yaml")

    edit(tmp_path, scenario)


def test_a_change_in_one_file_shows_in_those_that_depend_on_it(tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/trips.yaml": FLOW, "demo/stops.yaml": FLOW})

    async def scenario(editor: Editor) -> None:
        editor.open("demo/trips.yaml")
        await editor.shows("demo/trips.yaml")
        editor.open("flowmill.yaml", WORKSPACE.replace("etl-01", "etl-02"))
        await editor.shows("demo/trips.yaml", "unknown-server")
        await editor.shows("demo/stops.yaml", "unknown-server")  # which nobody has open
        editor.open("demo/project.yaml", "description: x\ndefaults: {sript: {timeout: 5m}}\n")
        await editor.shows("demo/project.yaml", "unknown-key")
        editor.type("flowmill.yaml", WORKSPACE)
        await editor.shows("demo/stops.yaml")

    edit(tmp_path, scenario)


def test_broken_yaml_is_told_at_its_place(tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/trips.yaml": FLOW})

    async def scenario(editor: Editor) -> None:
        editor.open("demo/trips.yaml", FLOW + "description: 'never closed\n")
        (found,) = await editor.shows("demo/trips.yaml", "yaml-syntax")
        assert found.range.start.line == 5

    edit(tmp_path, scenario)


def test_places_are_in_units_of_utf_16(tmp_path: Path) -> None:
    text = FLOW + 'vars: {a: "🙂🙂 ${{ vars.b }}"}\n'
    lay_out(tmp_path, {"demo/trips.yaml": text})

    async def scenario(editor: Editor) -> None:
        editor.open("demo/trips.yaml")
        (found,) = await editor.shows("demo/trips.yaml", "unknown-name")
        assert found.range.start.character == text.splitlines()[5].index("vars.b") + len("vars.") + 2

    edit(tmp_path, scenario)


def test_rules_have_their_severity_and_the_other_place(tmp_path: Path) -> None:
    policy = "lint: {policies: {ours: {description: x, severity: warning, require: [owner]}}}\n"
    lay_out(tmp_path, {"flowmill.yaml": WORKSPACE + policy, "demo/trips.yaml": FLOW})

    async def scenario(editor: Editor) -> None:
        editor.open("demo/trips.yaml")
        (found,) = await editor.shows("demo/trips.yaml", "policy")
        assert found.severity is types.DiagnosticSeverity.Warning
        (related,) = found.related_information or []
        assert (related.location.uri, related.location.range.start.line) == (editor.uri("flowmill.yaml"), 5)

    edit(tmp_path, scenario)


def test_what_only_all_flows_together_have_stays_while_one_of_them_is_edited(tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/bike-trips.yaml": FLOW, "demo/bike_trips.yaml": FLOW})

    async def scenario(editor: Editor) -> None:
        editor.open("demo/bike_trips.yaml")
        await editor.shows("demo/bike_trips.yaml", "similar-flows")
        editor.type("demo/bike_trips.yaml", f"{FLOW}vars: {{table: trips}}\n")
        await editor.shows("demo/bike_trips.yaml", "similar-flows", "unused-var")

    edit(tmp_path, scenario)


def test_no_value_that_may_be_secret_is_shown(tmp_path: Path) -> None:
    text = FLOW + "on_failure: [{type: slack, webhook: hunter2, text: x}]\n"
    lay_out(tmp_path, {"demo/trips.yaml": text})

    async def scenario(editor: Editor) -> None:
        editor.open("demo/trips.yaml")
        (found,) = await editor.shows("demo/trips.yaml", "secret-literal")
        assert "hunter2" not in str(found)

    edit(tmp_path, scenario)


def test_a_document_outside_of_any_workspace_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/alone.yaml").write_text("a: b\n")

    async def scenario(editor: Editor) -> None:
        editor.open("alone.yaml")
        position = types.Position(0, 1)
        params = types.HoverParams(editor.document("alone.yaml"), position)
        assert await editor.client.text_document_hover_async(params) is None

    edit(tmp_path, scenario)
