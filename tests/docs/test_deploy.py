"""The files for operating workers say what systemd, Docker and flowmill understand."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flowmill.cli import cli
from support.flows import FLOWMILL

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
UNIT, COMPOSE = DEPLOY / "flowmill-worker@.service", DEPLOY / "compose.yaml"


def accepted(arguments: list[str]) -> bool:
    """Whether the command line is understood; the server that it names is not asked."""
    result = CliRunner().invoke(cli, [*arguments, "--help"])
    known = set(re.findall(r"--[a-z-]+", result.output))
    return result.exit_code == 0 and {word for word in arguments if word.startswith("--")} <= known


@pytest.mark.systemd
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """Its program stands elsewhere here, and the unit needs an instance."""
    unit = tmp_path / "flowmill-worker@reports-01-production.service"
    unit.write_text(UNIT.read_text().replace("/opt/flowmill/bin/flowmill", FLOWMILL))
    finished = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_flowmill_understands_the_unit() -> None:
    [line] = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    program, *arguments = line.split()
    assert program.endswith("/flowmill")
    assert accepted(arguments)


def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return content


def _has_compose() -> bool:
    docker = shutil.which("docker")
    return docker is not None and not subprocess.run([docker, "compose", "version"], capture_output=True).returncode


@pytest.mark.skipif(not _has_compose(), reason="docker compose is not installed")
def test_compose_understands_the_file() -> None:
    command = ["docker", "compose", "--file", str(COMPOSE), "config", "--quiet"]
    finished = subprocess.run(command, capture_output=True, text=True, env={"PREFECT_DATABASE_PASSWORD": "x"})
    assert (finished.returncode, finished.stderr) == (0, "")


def test_the_services_of_compose_exist_and_their_commands_do() -> None:
    services = compose()["services"]
    assert set(services) == {"database", "server", "worker-staging", "worker-production"}
    for name, service in services.items():
        assert ("image" in service) != ("build" in service)
        assert set(service.get("depends_on", {})) <= set(services)
        program, *arguments = service.get("command", ["flowmill", "worker"])
        assert accepted(arguments) if program == "flowmill" else arguments[:2] == ["server", "start"], name


def test_the_image_of_the_workers_is_described() -> None:
    for service in compose()["services"].values():
        if build := service.get("build"):
            assert (DEPLOY / build["context"]).resolve() == DEPLOY.parents[1]
            assert (DEPLOY.parents[1] / build["dockerfile"]).is_file()
