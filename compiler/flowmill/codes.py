"""Every code that a diagnostic can have, with one sentence on what it means.

The codes of a check stand in the check's own file; the rest, from reading and binding, stand here.
"""

_READING = {
    "comment-in-value": "An unquoted value is cut off by ` #`, which begins a comment; quote it to keep the rest.",
    "duplicate-key": "A map has the same key twice; YAML parsers silently keep one of them.",
    "file-kind": "What lies there is not an ordinary file.",
    "file-link": "A link leads out of the workspace, or nowhere; its content is not read.",
    "file-missing": "The file is not there.",
    "file-size": "The file is larger than a spec can be (1 MiB).",
    "file-unreadable": "The file cannot be read, for lack of permission or because the disk says no.",
    "yaml-alias": "Aliases (`*name`) repeat so much, or themselves, that the document would explode.",
    "yaml-character": "A control character, or one that hides or reorders text.",
    "yaml-depth": "Maps and lists are nested deeper than any spec needs (64 levels).",
    "yaml-directive": "A `%` directive; specs are plain YAML 1.2.",
    "yaml-documents": "One file holds one document.",
    "yaml-empty": "The file holds nothing but comments or white space.",
    "yaml-encoding": "The file is not UTF-8, or has line ends of another age.",
    "yaml-key": "The key of a map is not a text.",
    "yaml-merge-key": "YAML 1.1's `<<` is not part of YAML 1.2; `defaults` do the same and can be traced.",
    "yaml-root": "The document is not a map.",
    "yaml-syntax": "The text is not YAML.",
    "yaml-tag": "A tag such as `!!python/object`; values are plain text, lists and maps.",
}
_WORKSPACE = {
    "bad-name": "A name has characters that names cannot have; they end up in Prefect's URLs and in file names.",
    "duplicate-flow": "Two files stand for the same flow.",
    "stray-file": "A spec outside of any project, or a file of tests beside no flow: it would never be used.",
    "template-cycle": "Templates extend each other in a circle, so none of them has a base.",
    "undeclared-project": "The folder has no project.yaml, so nobody has said that the project exists.",
    "unknown-environment": "An environment that flowmill.yaml does not declare.",
    "unknown-template": "A template that the project does not declare.",
}
_BINDING = {
    "bad-value": "The value has the right type, but its content cannot be used here.",
    "duration": "A length of time is not spelt `30s`, `5m`, `1h30m`, `PT5M` or as whole seconds.",
    "env-name": "A name that an environment variable cannot or must not have.",
    "missing-key": "A required key is absent.",
    "not-constant": "The key must be known when the flow is compiled, but its expression needs the run.",
    "refused-key": "An option of the tool behind a step type that is left out on purpose, for what it would allow.",
    "secret-literal": "A password, token or webhook is written out; it must come from a secret.",
    "unknown-key": "A key that does not exist there.",
    "unknown-type": "There is no step type of that name.",
    "wrong-type": "Text where a number is wanted, a list where a map is, and so on.",
}
_EXPRESSIONS = {
    "bad-expression": "An expression is malformed, unclosed, or uses what the language leaves out on purpose.",
    "unknown-filter": "There is no filter of that name.",
    "unknown-function": "There is no function of that name.",
    "unknown-name": "A name in an expression does not exist there, down to the attribute.",
    "unknown-test": "There is no test (`is …`) of that name.",
}
_TESTS = {
    "duplicate-test": "Two tests of a flow have the same name, so nobody can tell which of them has failed.",
    "empty-test": "A test that expects nothing would pass whatever the flow does.",
    "test-failed": "The flow does something else than one of its tests expects; only `flowmill test` finds that.",
    "wrong-test": "A test speaks of a step, a secret, a parameter or a result that its flow does not have.",
}
_LINT = {
    "bad-suppression": "A comment that begins like an exception from a rule, but cannot be one.",
    "expired-suppression": "The last day of an exception from a rule has passed.",
    "policy": "A flow is not as a policy of the team wants it; `lint.policies` in flowmill.yaml says what is wanted.",
    "unknown-rule": "`lint` in flowmill.yaml speaks of a rule that does not exist.",
    "unused-suppression": "An exception from a rule that nothing needs any more.",
}
FIXED = {**_READING, **_WORKSPACE, **_BINDING, **_EXPRESSIONS, **_TESTS, **_LINT}


def catalogue() -> dict[str, str]:
    """Every code of the language with its meaning, in alphabetical order; rules are in `lint.registry`."""
    from flowmill.checks import modules

    found = dict(FIXED)
    for module in modules():
        found |= module.CODES
    return dict(sorted(found.items()))
