"""A compiled workspace -> the manifest of one environment, with the commit that each flow dates from."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from flowmill.history.address import normalised
from flowmill.history.git import GitError
from flowmill.history.pins import Pin, pinned_commits
from flowmill.history.repository import Repository
from flowmill.pipeline import Compiled
from flowmill.planning.digest import plan_digest
from flowmill.planning.plan import Plan
from flowmill.registering.body import Code, deployment_body
from flowmill.registering.manifest import Declared, Manifest
from flowmill.spec.workspace import Environment, Workspace
from flowmill.suggest import did_you_mean


class Undeclarable(Exception):
    """The environment cannot be registered as it is; the text says why and what to do."""


def manifest_of(root: Path, workspace: Workspace, compiled: Compiled, name: str) -> Manifest:
    """What is to be on the server of an environment.

    Args:
        root: the folder of the workspace.
        compiled: all of it, without errors.

    Raises:
        Undeclarable: there is no such environment, or nothing says where workers find the specs.
    """
    environment = _environment(workspace, name)
    plans = {flow: plan for (flow, its), plan in sorted(compiled.plans.items()) if its == name}
    _refuse_two_from_one(plans)
    try:
        pins = _pins(root, compiled, name, environment, workspace)
        head, changed = _head(root), _changed(root, [pins[flow] for flow in plans if flow in pins])
        code = {flow: _code(root, workspace, environment, pins.get(flow)) for flow in plans}
    except GitError as error:
        raise Undeclarable(str(error)) from None
    return Manifest(
        workspace=workspace_name(workspace),
        environment=name,
        commit=head,
        changed=changed,
        pin=environment.pin,
        storage=environment.storage,
        ref=environment.ref,
        deployments={flow: _declared(plan, code[flow]) for flow, plan in plans.items()},
    )


def _refuse_two_from_one(plans: Mapping[str, Plan]) -> None:
    """
    Raises:
        Undeclarable: two flows say that they were one before; only one can go on with what that remembers.
    """
    now: dict[str, str] = {}
    for flow, plan in plans.items():
        if plan.moved_from and plan.moved_from in now:
            both = f"`{now[plan.moved_from]}` and `{flow}`"
            raise Undeclarable(f"{both} both have `moved_from: {plan.moved_from}`; only one can go on as that flow")
        now |= {plan.moved_from: flow} if plan.moved_from else {}


def _environment(workspace: Workspace, name: str) -> Environment:
    if name not in workspace.environments:
        raise Undeclarable(f"there is no environment `{name}`; {did_you_mean(name, workspace.environments)}")
    return workspace.environments[name]


def _changed(root: Path, pins: Iterable[Pin]) -> tuple[str, ...]:
    """The files that differ from the commit, as the repository calls them: the same from every working directory."""
    repository = Repository.around(root)
    top = repository.root if repository else root.resolve()
    folder = Path(os.path.relpath(root.resolve(), top))
    changed = (folder / path.relative_to(root.absolute()) for pin in pins for path in pin.changed)
    return tuple(sorted({os.path.normpath(path) for path in changed}))


def workspace_name(workspace: Workspace) -> str:
    """Whose deployments they are: the workspace's name, or that of its repository.

    Raises:
        Undeclarable: it has neither.
    """
    name = workspace.name or normalised(workspace.repository)
    if not name:
        hint = "add `repository: https://…` or `name: …`"
        raise Undeclarable(f"nothing in flowmill.yaml says whose the deployments are; {hint}")
    return name


def _pins(
    root: Path, compiled: Compiled, name: str, environment: Environment, workspace: Workspace
) -> Mapping[str, Pin]:
    if environment.storage == "local":
        return {}
    if not workspace.repository:
        hint = f"add `repository: https://…` to flowmill.yaml, or, for trying out, `storage: local` to `{name}`"
        raise Undeclarable(f"workers would not know where to find the specs; {hint}")
    return pinned_commits(root, compiled, name)


def _head(root: Path) -> str | None:
    repository = Repository.around(root)
    return repository.head() if repository and repository.has_commits else None


def _code(root: Path, workspace: Workspace, environment: Environment, pin: Pin | None) -> Code:
    """Where workers find the specs.

    Raises:
        Undeclarable: Prefect would put something else into it, be it a secret.
    """
    code = _found(root, workspace, environment, pin)
    named = {"`repository`": code.repository, "`ref`": code.branch, f"the folder `{code.folder}`": code.folder}
    for name, text in named.items():
        if "{{" in text:
            raise Undeclarable(f"{name} holds `{{{{`, which Prefect would fill in on the worker")
    return code


def _found(root: Path, workspace: Workspace, environment: Environment, pin: Pin | None) -> Code:
    if environment.storage == "local":
        return Code(folder=str(root.resolve()))
    repository = Repository.around(root)
    folder = root.resolve().relative_to(repository.root).as_posix() if repository else ""
    return Code(
        repository=workspace.repository,
        branch=environment.ref if environment.pin == "branch" else "",
        commit=(pin.commit or "") if pin and environment.pin == "commit" else "",
        token=workspace.repository_token or "",
        folder="" if folder == "." else folder,
    )


def _declared(plan: Plan, code: Code) -> Declared:
    return Declared(
        flow=plan.name,
        spec=plan.spec_path,
        plan=plan_digest(plan),
        commit=code.commit or None,
        protect=plan.protect,
        moved_from=plan.moved_from,
        body=deployment_body(plan, code),
    )
