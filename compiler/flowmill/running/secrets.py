"""Where secrets come from: a named group of keys, or a single value, loaded when a step needs it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml

from flowmill.expressions.keyed import TextOfKeys
from flowmill.expressions.language import ExpressionError
from flowmill.running.redaction import Redactor

LOCAL_FILE = ".flowmill/secrets.yaml"
ENVIRONMENT_PREFIX = "FLOWMILL_SECRET_"


class SecretMissing(ExpressionError):
    """There is no secret of that name; the message says where one could be put."""


class SecretStore(Protocol):
    """Gives the value behind a name: a map of keys, or one text."""

    def read(self, name: str) -> Any:
        """The secret's value.

        Raises:
            SecretMissing: there is none of that name.
        """
        ...


class LocalSecrets:
    """Secrets of a run on somebody's own machine: environment variables, or a file that git ignores."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        """
        Args:
            folder: where `.flowmill/secrets.yaml` is looked for: here or in a folder above.
            environ: `FLOWMILL_SECRET_<NAME>` holds a text, or JSON for a group of keys.
        """
        self._environ = environ
        self._file = _nearest(folder)

    def read(self, name: str) -> Any:
        variable = ENVIRONMENT_PREFIX + "".join(letter if letter.isalnum() else "_" for letter in name).upper()
        if variable in self._environ:
            return _json_or_text(self._environ[variable])
        content = self._content()
        if name in content:
            return content[name]
        raise SecretMissing(f"there is no secret `{name}`: put it into {LOCAL_FILE}, or into the variable {variable}")

    def _content(self) -> dict[str, Any]:
        if self._file is None:
            return {}
        try:
            content = yaml.safe_load(self._file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            # The parser's own message quotes the line, which may hold a secret.
            raise SecretMissing(f"{LOCAL_FILE} cannot be read as YAML") from None
        if not isinstance(content, dict):
            raise SecretMissing(f"{LOCAL_FILE} must hold a map from names to secrets")
        return content


def _nearest(folder: Path) -> Path | None:
    absolute = folder.absolute()
    return next((path for above in (absolute, *absolute.parents) if (path := above / LOCAL_FILE).is_file()), None)


def _json_or_text(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


class FirstOf:
    """Several stores as one: the first that has a secret gives it."""

    def __init__(self, *stores: SecretStore) -> None:
        self._stores = stores

    def read(self, name: str) -> Any:
        missing = []
        for store in self._stores:
            try:
                return store.read(name)
            except SecretMissing as error:
                missing.append(str(error))
        raise SecretMissing("; ".join(missing))


class Secrets(dict[str, Any]):
    """`secrets` in an expression: a group is loaded when it is first named, and its values are masked from then on."""

    def __init__(self, store: SecretStore, redactor: Redactor) -> None:
        super().__init__()
        self._store = store
        self._redactor = redactor

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Any:
        value = self._store.read(name)
        self._redactor.learn(value)
        if isinstance(value, str) and isinstance(keys := _json_or_text(value), dict):
            self._redactor.learn(keys)
            value = TextOfKeys(value, keys)
        self[name] = value
        return value
