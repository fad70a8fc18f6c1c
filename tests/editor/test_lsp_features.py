"""What an editor asks for: completion, hovering, definitions, renaming, fixes, the outline."""

from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from flowmill.elaborating.shapes import MEANINGS, flow_shape
from flowmill_tasks.registry import discover
from lint.workspace import lay_out
from support.lsp_client import Editor, applied, edit

WORKSPACE = """\
timezone: Europe/Berlin
environments:
  staging: {ref: main}
  production: {ref: production}
servers:
  etl-01: {queues: {slow: {concurrency: 1}}}
  etl-02:
secrets:
  warehouse:
  mail:
defaults:
  script: {timeout: 10m}
"""
PROJECT = """\
owner: data@example.org
templates:
  hourly: {cron: "15 * * * *"}
"""
FLOW = """\
project: demo
environment: [staging, production]
server: etl-01
cron: "17 4 * * *"
parameters:
  provider: {type: string, default: lime}
vars: {table: trips}
steps:
  - id: extract
    type: script
    command: [./extract.sh, "${{ parameters.provider }}"]
    env_from: warehouse
  - id: load
    type: script
    needs: [extract]
    timeout: 5m
    command: [./load.sh, "${{ vars.table }}", "${{ steps.extract.stdout }}", "${{ run.start | date }}"]
on_failure:
  - {type: slack, webhook: "${{ secrets.mail }}", text: "${{ steps.extract.state }} 🙂 ${{ steps.extract.state }}"}
"""
TESTS = """\
tests:
  - name: it loads
    secrets: {warehouse: {KEY: x}}
    results:
      extract: {stdout: 3 rows}
    expect:
      order: [extract, load]
      steps: {extract: success}
"""
NAME = "demo/trips.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"flowmill.yaml": WORKSPACE, "demo/project.yaml": PROJECT, NAME: FLOW, "demo/trips.test.yaml": TESTS}
    lay_out(tmp_path, {**files, "demo/load.sh": "#!/bin/sh\n"})
    (tmp_path / "specs/demo/load.sh").chmod(0o755)
    return tmp_path


def marked(before: str, after: str) -> str:
    """The flow with `§` in the place of `before` or behind it, as `after` has it."""
    assert FLOW.count(before) >= 1, before
    return FLOW.replace(before, after, 1)


async def completed(editor: Editor, text: str, name: str = NAME) -> dict[str, str]:
    """The labels that are offered at `§`, with their documentation."""
    editor.type(name, text.replace("§", "", 1))
    params = types.CompletionParams(editor.document(name), editor.position(text))
    found = await editor.client.text_document_completion_async(params)
    items = found.items if isinstance(found, types.CompletionList) else found or []
    return {it.label: str(it.documentation or "") for it in items}


COMPLETIONS = [
    pytest.param(marked("cron:", "qu§\ncron:"), {"queue", "catchup"}, {"cron", "server"}, id="a key of the flow"),
    pytest.param(marked("    needs", "    re§\n    needs"), {"retries", "args"}, {"needs", "image"}, id="of a step"),
    pytest.param(FLOW + "finally:\n  - type: docker\n    im§", {"image"}, {"needs", "file"}, id="of another type"),
    pytest.param(marked("{type: string, ", "{type: string, mi§, "), {"minimum", "choices"}, {"type"}, id="in braces"),
    pytest.param(marked("server: etl-01", "server: e§"), {"etl-01", "etl-02"}, {"staging"}, id="servers"),
    pytest.param(marked("[staging, production]", "[staging, §]"), {"production"}, {"etl-01"}, id="environments"),
    pytest.param(marked("needs: [extract]", "needs: [§]"), {"extract"}, {"load"}, id="ids of steps"),
    pytest.param(marked("needs: [extract]", "needs:\n      - ex§"), {"extract"}, {"load"}, id="ids in a block"),
    pytest.param(marked("project: demo", "project: §"), {"demo"}, set(), id="the project"),
    pytest.param(marked("env_from: warehouse", "env_from: §"), {"warehouse", "mail"}, set(), id="secrets"),
    pytest.param(marked("cron:", "extends: §\ncron:"), {"hourly"}, set(), id="templates"),
    pytest.param(marked("cron:", "queue: §\ncron:"), {"slow"}, set(), id="queues"),
    pytest.param(marked("cron:", "timezone: Europe/§\ncron:"), {"Europe/Paris"}, set(), id="time zones"),
    pytest.param(marked("type: script", "type: §"), {"script", "docker", "email", "slack"}, set(), id="step types"),
    pytest.param(marked("cron:", "catchup: §\ncron:"), {"none", "last", "all"}, set(), id="a choice"),
    pytest.param(marked("cron:", "paused: §\ncron:"), {"true", "false"}, set(), id="a flag"),
    pytest.param(marked("vars.table", "§"), {"steps", "vars", "days"}, {"stdout"}, id="names"),
    pytest.param(marked("vars.table", "vars.§"), {"table"}, {"steps"}, id="vars"),
    pytest.param(marked("parameters.provider", "parameters.p§"), {"provider"}, set(), id="parameters"),
    pytest.param(marked("steps.extract.stdout", "steps.§"), {"extract", "load"}, set(), id="steps"),
    pytest.param(
        marked("steps.extract.stdout", "steps.extract.st§"), {"stdout", "exit_code", "state"}, set(), id="outputs"
    ),
    pytest.param(marked("run.start", "run.start.§"), {"day", "month"}, {"start"}, id="parts of a time"),
    pytest.param(marked("secrets.mail", "secrets.§"), {"mail", "warehouse"}, set(), id="secrets in expressions"),
    pytest.param(FLOW + "description: ${{ vars.§\n  - [", {"table"}, set(), id="broken YAML"),
]


def test_what_is_offered_where(folder: Path) -> None:
    async def scenario(editor: Editor) -> None:
        editor.open(NAME)
        await editor.shows(NAME)
        for param in COMPLETIONS:
            text, offered, not_offered = param.values
            found = await completed(editor, str(text))
            assert offered <= found.keys(), (param.id, offered - found.keys())
            assert not not_offered & found.keys(), (param.id, not_offered & found.keys())

    edit(folder, scenario)


def test_filters_are_offered_behind_a_bar_and_keys_with_what_they_are_for(folder: Path) -> None:
    async def scenario(editor: Editor) -> None:
        editor.open(NAME)
        await editor.shows(NAME)
        text = FLOW.replace("run.start | date", "run.start | da")
        editor.type(NAME, text)
        line = next(number for number, it in enumerate(text.splitlines()) if "run.start | da" in it)
        place = types.Position(line, text.splitlines()[line].index("| da") + 4)
        found = await editor.client.text_document_completion_async(types.CompletionParams(editor.document(NAME), place))
        assert isinstance(found, list)
        assert "date" in {it.label for it in found}
        keys = await completed(editor, marked("cron:", "ow§\ncron:"))
        assert "who answers for it" in keys["owner"]

    edit(folder, scenario)


def test_what_is_offered_in_the_other_files(folder: Path) -> None:
    async def scenario(editor: Editor) -> None:
        for name in ("flowmill.yaml", "demo/project.yaml", "demo/trips.test.yaml"):
            editor.open(name)
        await editor.ready("flowmill.yaml")
        assert "repository" in await completed(editor, WORKSPACE + "re§", "flowmill.yaml")
        lint = await completed(editor, WORKSPACE + "lint:\n  rules:\n    une§", "flowmill.yaml")
        assert "divide" in lint["uneven-step"]
        assert "description" in await completed(editor, PROJECT + "de§", "demo/project.yaml")
        assert "parameters" in await completed(editor, TESTS + "    pa§", "demo/trips.test.yaml")

    edit(folder, scenario)


def test_fire_times_are_those_of_the_environment_that_one_looks_at(folder: Path) -> None:
    text = FLOW.replace(
        "[staging, production]",
        """
  staging:
  production:
    cron: null
    schedules:
      - {cron: "5 5 * * *"}
      - {cron: "6 6 * * *", timezone: America/Chicago}""",
    )

    async def scenario(editor: Editor) -> None:
        editor.open(NAME, text)
        await editor.shows(NAME)
        place = editor.position(text.replace('"6 6', '"6§ 6'))
        found = await editor.client.text_document_hover_async(types.HoverParams(editor.document(NAME), place))
        assert found is not None
        assert isinstance(found.contents, types.MarkupContent)
        assert "(America/Chicago)" in found.contents.value

    edit(folder, scenario)


def test_every_output_of_every_step_type_and_every_name_says_what_it_is() -> None:
    outputs = [(word, name, field) for word, it in discover().items() for name, field in it.output.model_fields.items()]
    assert [(word, name) for word, name, field in outputs if not field.description] == []
    assert flow_shape({}).keys() <= MEANINGS.keys()


async def hovered(editor: Editor, before: str, after: str) -> str:
    text = marked(before, after)
    params = types.HoverParams(editor.document(NAME), editor.position(text))
    found = await editor.client.text_document_hover_async(params)
    assert found is None or isinstance(found.contents, types.MarkupContent)
    return found.contents.value if found and isinstance(found.contents, types.MarkupContent) else ""


def test_what_hovering_tells(folder: Path) -> None:
    async def scenario(editor: Editor) -> None:
        editor.open(NAME)
        await editor.shows(NAME)
        cron = await hovered(editor, '"17 4', '"1§7 4')
        assert cron.count("04:17 ·") == 5
        assert "(Europe/Berlin)" in cron
        assert " UTC" in cron
        key = await hovered(editor, "    timeout", "    tim§eout")
        assert "**timeout**: an attempt that takes longer" in key
        assert "`5m`, set by the flow, specs/demo/trips.yaml:16; over" in key
        assert "specs/flowmill.yaml:12" in key
        assert "staging, production" in key
        assert "of type script" in await hovered(editor, "steps.extract.stdout", "steps.ext§ract.stdout")
        assert "default: lime" in await hovered(editor, "parameters.provider", "parameters.pro§vider")
        assert "when the run began" in await hovered(editor, "run.start", "run.st§art")
        assert await hovered(editor, "./load.sh", "./lo§ad.sh") != ""
        assert "KEY" not in await hovered(editor, "secrets.mail", "secrets.ma§il")

    edit(folder, scenario)


def test_where_definitions_lead(folder: Path) -> None:
    text = FLOW.replace("cron:", "extends: hourly\nqueue: slow\ncron:")
    (folder / "specs" / NAME).write_text(text)

    async def at(editor: Editor, before: str, after: str) -> list[tuple[str, int]]:
        assert before in text, before
        params = types.DefinitionParams(editor.document(NAME), editor.position(text.replace(before, after, 1)))
        found = await editor.client.text_document_definition_async(params)
        assert found is None or isinstance(found, list)
        return [(it.uri.rpartition("specs/")[2], it.range.start.line + 1) for it in found or []]

    async def scenario(editor: Editor) -> None:
        editor.open(NAME)
        await editor.shows(NAME)
        assert await at(editor, "needs: [extract", "needs: [ext§ract") == [(NAME, 11)]
        assert await at(editor, "steps.extract.stdout", "steps.extr§act.stdout") == [(NAME, 11)]
        assert await at(editor, "parameters.provider", "parameters.prov§ider") == [(NAME, 8)]
        assert await at(editor, "vars.table", "vars.ta§ble") == [(NAME, 9)]
        assert await at(editor, "server: etl-01", "server: et§l-01") == [("flowmill.yaml", 6)]
        assert await at(editor, "queue: slow", "queue: sl§ow") == [("flowmill.yaml", 6)]
        assert await at(editor, "production]", "produ§ction]") == [("flowmill.yaml", 4)]
        assert await at(editor, "extends: hourly", "extends: ho§urly") == [("demo/project.yaml", 3)]
        assert await at(editor, "project: demo", "project: de§mo") == [("demo/project.yaml", 1)]
        assert await at(editor, "    timeout", "    tim§eout") == [("flowmill.yaml", 12)]
        assert await at(editor, "cron:", "cr§on:") == [("demo/project.yaml", 3)]
        assert await at(editor, "./load.sh", "./lo§ad.sh") == [("demo/load.sh", 1)]
        assert await at(editor, "./extract.sh", "./ext§ract.sh") == []

    edit(folder, scenario)


def _rename(editor: Editor, place: types.Position, new: str) -> types.RenameParams:
    return types.RenameParams(text_document=editor.document(NAME), position=place, new_name=new)


def test_renaming_a_step_changes_every_place_that_names_it(folder: Path) -> None:
    async def scenario(editor: Editor) -> None:
        editor.open(NAME)
        await editor.shows(NAME)
        place = editor.position(marked("needs: [extract", "needs: [ext§ract"))
        prepared = await editor.client.text_document_prepare_rename_async(
            types.PrepareRenameParams(editor.document(NAME), place)
        )
        assert isinstance(prepared, types.PrepareRenamePlaceholder)
        assert prepared.placeholder == "extract"
        changed = await editor.client.text_document_rename_async(_rename(editor, place, "fetch"))
        assert changed is not None
        changes = changed.changes or {}
        flow, tests = (
            applied(FLOW, changes[editor.uri(NAME)]),
            applied(TESTS, changes[editor.uri("demo/trips.test.yaml")]),
        )
        assert flow == FLOW.replace("id: extract", "id: fetch").replace("[extract]", "[fetch]").replace(
            "steps.extract.", "steps.fetch."
        )
        assert tests == TESTS.replace("extract", "fetch")
        editor.type(NAME, flow)
        editor.open("demo/trips.test.yaml", tests)
        await editor.shows("demo/trips.test.yaml")
        await editor.shows(NAME)

    edit(folder, scenario)


@pytest.mark.parametrize(
    ("before", "after", "new", "reason"),
    [
        pytest.param("id: extract", "id: ext§ract", "load", "there is a step `load` already", id="taken"),
        pytest.param("id: extract", "id: ext§ract", "Fetch it", "is not a name", id="no name"),
        pytest.param("project: demo", "project: de§mo", "x", "only the id of a step", id="no step"),
        pytest.param("parameters.provider", "parameters.pro§vider", "x", "only the id of a step", id="a parameter"),
    ],
)
def test_what_cannot_be_renamed_says_why(before: str, after: str, new: str, reason: str, folder: Path) -> None:
    async def scenario(editor: Editor) -> None:
        editor.open(NAME)
        await editor.shows(NAME)
        params = _rename(editor, editor.position(marked(before, after)), new)
        with pytest.raises(JsonRpcException, match=reason):
            await editor.client.text_document_rename_async(params)

    edit(folder, scenario)


def test_fixes_are_offered_one_by_one_and_all_together(folder: Path) -> None:
    spoilt = FLOW.replace("timeout: 5m", "timout: 5m").replace("cron:", "timezon: UTC\ncron:")
    mended = spoilt.replace("timout", "timeout").replace("timezon:", "timezone:")

    async def scenario(editor: Editor) -> None:
        editor.open(NAME, spoilt)
        await editor.shows(NAME, "unknown-key", "unknown-key")
        place = editor.position(spoilt.replace("timout", "tim§out"))
        params = types.CodeActionParams(
            editor.document(NAME), types.Range(place, place), types.CodeActionContext(diagnostics=[])
        )
        found = await editor.client.text_document_code_action_async(params)
        one, everything = [it for it in found or [] if isinstance(it, types.CodeAction)]
        assert (one.kind, one.is_preferred) == (types.CodeActionKind.QuickFix, True)
        assert one.edit is not None
        assert everything.edit is not None
        single = applied(spoilt, (one.edit.changes or {})[editor.uri(NAME)])
        assert single == spoilt.replace("timout", "timeout")
        assert applied(spoilt, (everything.edit.changes or {})[editor.uri(NAME)]) == mended
        editor.type(NAME, mended)
        await editor.shows(NAME)

    edit(folder, scenario)


def test_the_outline_has_the_steps(folder: Path) -> None:
    async def scenario(editor: Editor) -> None:
        editor.open(NAME)
        await editor.shows(NAME)
        params = types.DocumentSymbolParams(editor.document(NAME))
        found = await editor.client.text_document_document_symbol_async(params)
        assert [(it.name, it.detail) for it in found or [] if isinstance(it, types.DocumentSymbol)] == [
            ("extract", "script"),
            ("load", "script"),
            ("on_failure_1", "slack"),
        ]

    edit(folder, scenario)
