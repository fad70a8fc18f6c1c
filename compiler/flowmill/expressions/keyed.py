"""Texts that expressions may also ask for a key: `secrets.mail.host`, where the secret `mail` is the JSON of a map."""

from collections.abc import Mapping
from typing import Any


class Keyed(str):
    """A text that has values under keys."""

    __slots__ = ()

    def attribute(self, name: str) -> Any:
        """The value under a key.

        Raises:
            KeyError: there is none of that name.
        """
        raise KeyError(name)


class TextOfKeys(Keyed):
    """A text that is the JSON of a map: itself as a whole, and the values of the map by its keys."""

    __slots__ = ("_keys",)
    _keys: Mapping[str, Any]

    def __new__(cls, text: str, keys: Mapping[str, Any]) -> "TextOfKeys":
        made = super().__new__(cls, text)
        made._keys = keys
        return made

    def attribute(self, name: str) -> Any:
        return self._keys[name]
