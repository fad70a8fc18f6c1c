"""Where Prefect imports registered flows from: `flowmill.flows:<project>.<flow>.<environment>.<digest>`.

An attribute of this module is a project, its attributes are the flows, then come the environments, and last the
digest of the plan that was registered, with `-branch` behind it where whatever the branch holds is to run. The
working directory is the workspace. Prefect imports the flow in a process of its own, so all that it needs to know
is in its name.
"""

from typing import Any

FOLLOWING = "branch"
"""Stands behind the digest of a flow that follows a branch."""


class _Flows:
    """The flows of one project, the environments of one flow, or the versions of one of those."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        names = (*self._names, name)
        if len(names) < 4:
            return _Flows(*names)
        from flowmill.backend.registered import Registered, registered_flow

        digest, _, follows = name.partition("-")
        return registered_flow(Registered(".".join(names[:2]), names[2], digest, follows == FOLLOWING))


def entrypoint(name: str, environment: str, digest: str, *, follows: bool) -> str:
    """What Prefect is told to import for a flow."""
    return f"flowmill.flows:{name}.{environment}.{digest}{f'-{FOLLOWING}' if follows else ''}"


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Flows(name)
