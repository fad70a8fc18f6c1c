"""Which process something belongs to, written so that a later process on the same machine can tell whether it lives.

A process id alone says nothing once it is somebody else's, or when it was counted by another machine or in another
container. So the machine stands beside it, and when the process began. Where there is no `/proc` nothing is
written, and nothing is ever taken for dead.
"""

import hashlib
import os
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

HOST, OWNER = "flowmill.host", "flowmill.owner"
"""The labels of what belongs to a process."""
_PROC = Path("/proc")


def labels() -> dict[str, str]:
    """The labels that name this process; none where the system does not tell enough about it."""
    began, era = _began(os.getpid()), _era()
    return {HOST: host(), OWNER: f"{os.getpid()}.{began}.{era}"} if began and era else {}


def is_dead(marked: Mapping[str, str]) -> bool:
    """Whether the process that the labels name was one of this machine and is gone; false when in doubt."""
    pid, _, rest = marked.get(OWNER, "").partition(".")
    began, _, era = rest.partition(".")
    if marked.get(HOST) != host() or not pid.isdecimal() or not began or not _era():
        return False
    boot, _, its_namespace = era.partition("/")
    own_boot, _, own_namespace = _era().partition("/")
    if boot != own_boot:
        return True  # this machine has been started anew since
    # In another container of this machine ids count other processes.
    return its_namespace == own_namespace and _began(int(pid)) != began


@cache
def host() -> str:
    """The name of this machine or container, and a mark that tells machines of one name apart."""
    try:
        identity = Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        identity = b""
    mark = f"-{hashlib.sha256(identity).hexdigest()[:8]}" if identity else ""
    return f"{platform.node()}{mark}"


def _began(pid: int) -> str:
    """When a living process began, in the system's ticks since it was started; empty where there is none."""
    try:
        # The name in parentheses may hold anything; the state and, 19 fields on, the start stand behind it.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    return fields[19] if fields[0] not in "ZX" else ""


@cache
def _era() -> str:
    """Since when and among which processes an id counts: the boot, and the namespace."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return f"{boot}/{namespace()}" if namespace() else ""


@cache
def namespace() -> str:
    """Among which processes of the machine an id counts: those of this container, or all; empty where unknown."""
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""
