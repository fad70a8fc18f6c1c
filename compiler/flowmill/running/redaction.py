"""Keeping the values of secrets out of everything that is shown, stored or sent."""

import base64
import json
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from flowmill_tasks.base import Log

MASK = "***"
SHORTEST = 4
"""Shorter values are not masked: a secret `1` would turn every log into stars. The documentation says so."""


class Redactor:
    """Replaces every known secret value, raw or encoded, by `***`."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._ordered: list[str] = []

    def learn(self, value: Any) -> None:
        """From now on mask every text and number inside `value`, however deeply it is nested."""
        before = len(self._values)
        for text in _texts(value):
            self._values |= {form for form in _forms(text) if len(form) >= SHORTEST}
        if len(self._values) != before:
            self._ordered = sorted(self._values, key=len, reverse=True)

    def mask(self, text: str) -> str:
        """The text without any secret value that has been learnt."""
        for value in self._ordered:
            if value in text:
                text = text.replace(value, MASK)
        return text

    def mask_model(self, model: BaseModel) -> BaseModel:
        """A copy of a step's output with its texts masked."""
        values = {name: self._mask_any(getattr(model, name)) for name in type(model).model_fields}
        return model.model_copy(update=values)

    def _mask_any(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {key: self._mask_any(item) for key, item in value.items()}
        return [self._mask_any(item) for item in value] if isinstance(value, list) else value


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    if value is None or isinstance(value, bool):
        return []
    text = str(value)
    return [text, *_parts(text)]


def _parts(text: str) -> list[str]:
    """What of a text turns up alone: the lines of a key, the addresses of a list."""
    lines = [line.strip() for line in text.splitlines()]
    addresses = [part.strip() for part in text.split(",")] if "@" in text else []
    return [part for part in (*lines, *addresses) if part != text]


def _forms(text: str) -> set[str]:
    """The value as it is, and as the encodings that turn up in logs would write it."""
    encoded = base64.b64encode(text.encode()).decode()
    return {
        text,
        text.strip(),
        encoded,
        encoded.rstrip("="),
        quote(text, safe=""),
        quote(text),
        json.dumps(text)[1:-1],
    }


class MaskingLog:
    """A step's log that masks secrets before the line goes anywhere."""

    def __init__(self, log: Log, redactor: Redactor) -> None:
        self._log = log
        self._redactor = redactor

    def info(self, message: str) -> None:
        self._log.info(self._redactor.mask(message))

    def warning(self, message: str) -> None:
        self._log.warning(self._redactor.mask(message))

    def error(self, message: str) -> None:
        self._log.error(self._redactor.mask(message))
