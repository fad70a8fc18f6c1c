"""The key `smtp` of a step: which server takes the mail. A map in the spec, or a secret that holds one.

A block `EmailServerCredentials` of Prefect's e-mail collection fits as it is: its field names are known here.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from flowmill_tasks._email_addresses import OneMailbox
from flowmill_tasks._email_delivery import Security, Server
from flowmill_tasks._paths import PathProblem, RelativePath, resolve_file_inside
from flowmill_tasks.base import StepFailed
from flowmill_tasks.fields import Duration, Line, SecretText, Templated, Unrendered, WholeNumber

_OTHER_NAMES = {"smtp_server": "host", "smtp_port": "port", "smtp_type": "security", "from": "sender"}
_PORTS: dict[Security, int] = {"tls": 465, "starttls": 587, "none": 25}
"""RFC 8314, RFC 6409, RFC 5321."""
_SMTP_TYPES: dict[str, Security] = {"SSL": "tls", "STARTTLS": "starttls", "INSECURE": "none"}
_SMTP_TYPES |= {str(port): security for security, port in _PORTS.items()}
"""Prefect's words for `security`; a stored block holds their ports in their stead."""


def _host(text: str) -> str:
    if not re.fullmatch(r"[\w.-]{1,253}", text) and not _is_address(text):
        raise PydanticCustomError(
            "bad_value",
            "expected the name of a mail server, such as `smtp.example.org`; `port` is a key of its own",
        )
    return text


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


class SmtpSettings(BaseModel):
    """The mail server that takes the message."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)

    host: Templated[Annotated[Line, AfterValidator(_host)]] = Field(
        description="Name of the mail server.", examples=["smtp.example.org"]
    )
    port: Templated[Annotated[WholeNumber, Field(ge=1, le=65535)]] | None = Field(
        default=None,
        description="Port of the mail server; 587 with `starttls`, 465 with `tls`, 25 with `none`.",
        examples=[587],
    )
    security: Templated[Security] | None = Field(
        default=None,
        description="How the connection is encrypted: `starttls` (the default), `tls` from the start (the "
        "default on port 465), or `none`. Certificates are always verified.",
        examples=["starttls"],
    )
    username: Templated[Line] | None = Field(
        default=None,
        description="Who logs in; goes with `password`.",
        examples=["${{ secrets.mail.username }}"],
    )
    password: SecretText | None = Field(
        default=None,
        description="The password, from a secret. It is sent encrypted only, or to this same machine.",
        examples=["${{ secrets.mail.password }}"],
    )
    sender: OneMailbox | None = Field(
        default=None,
        description="Who a mail is from, when the step has no `from`.",
        examples=["Data team <data@example.org>"],
    )
    timeout: Templated[Annotated[Duration, Field(ge=1)]] = Field(
        default=60, description="How long a delivery may take in all.", examples=["30s"]
    )
    ca_file: RelativePath | None = Field(
        default=None,
        description="A file in the project with the certificates (PEM) to trust instead of the system's.",
        examples=["certificates/company.pem"],
    )

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, values: Any) -> Any:
        """Our names for Prefect's. A key that is there under both stays, and is reported as unknown."""
        if not isinstance(values, dict):
            return values
        if "smtp_server" in values:
            values = _from_prefect(values)
        return {
            other if (name := _OTHER_NAMES.get(other, other)) in values else name: value
            for other, value in values.items()
        }

    @model_validator(mode="after")
    def _check_login(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise PydanticCustomError("bad_value", "`username` and `password` go together")
        exposed = self.encryption == "none" and not _is_loopback(self.host)
        if self.password is not None and exposed and not isinstance(self.host, Unrendered):
            raise PydanticCustomError(
                "bad_value", "with `security: none` the password would cross the network for all to read"
            )
        return self

    @property
    def encryption(self) -> Security:
        """`security`, or what the port tells."""
        return self.security or ("tls" if self.port == _PORTS["tls"] else "starttls")

    @property
    def address(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port or _PORTS.get(self.encryption, '?')}"

    def server(self, directory: Path, root: Path) -> Server:
        """What these settings mean, once every expression in them has its value.

        Raises:
            StepFailed: the `ca_file` is not there.
        """
        try:
            ca_file = resolve_file_inside(self.ca_file, directory, root) if self.ca_file else None
        except PathProblem as problem:
            raise StepFailed(f"the `ca_file` of `smtp`: {problem}", permanent=True) from problem
        return Server(
            host=self.host,
            port=self.port or _PORTS[self.encryption],
            security=self.encryption,
            username=self.username,
            password=self.password,
            timeout=self.timeout,
            ca_file=ca_file,
        )


def _from_prefect(block: dict[str, Any]) -> dict[str, Any]:
    """A Prefect block without what says nothing (null, an empty password, `verify: true`), in our words."""
    said = {name: value for name, value in block.items() if value is not None and value != ""}
    if said.get("verify") is True:
        del said["verify"]
    if "smtp_type" in said:
        said["smtp_type"] = _SMTP_TYPES.get(str(said["smtp_type"]), said["smtp_type"])
    return said
