"""Removing containers whose process was killed: nobody else would stop them."""

from flowmill_tasks._docker_container import (
    STOP_ANSWER_WITHIN,
    EngineUnreachable,
    engine,
    explained,
    remove_container,
    stop_container,
)
from flowmill_tasks.base import Log, StepFailed
from flowmill_tasks.owner import HOST, OWNER, host, is_dead


def remove_orphans(log: Log) -> int:
    """Stop and remove the containers of processes of this machine that are gone; how many there were.

    Those of a living process, those of another machine that shares the engine, and those that flowmill has not
    made are left alone. Without an engine there are none, and one that goes away meanwhile is asked again next time.
    """
    removed = 0
    try:
        with engine(STOP_ANSWER_WITHIN) as client, explained("containers left behind could not be looked for"):
            filters: dict[str, str | list[str] | bool] = {"label": [f"{HOST}={host()}", OWNER]}
            for container in client.containers.list(all=True, ignore_removed=True, filters=filters):
                if is_dead(container.labels):
                    run = container.labels.get("flowmill.run", "?")
                    log.warning(f"removing container `{container.name}`, whose process is gone (run {run})")
                    stop_container(container.id or "", log)
                    remove_container(container, log)
                    removed += 1
    except EngineUnreachable:
        pass  # many machines have none
    except StepFailed as error:
        log.error(error.message)
    return removed
