"""Running the `git` program: bounded in time, asking nobody, its failures in a user's words."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

SECONDS = 120
"""How long one call may take."""

_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",  # looking must not be in the way of who works there
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # what a commit holds is the same in every clone
}
_SETTINGS = ("-c", "log.diffMerges=separate", "-c", "log.follow=false")
"""What a person's own settings would otherwise change in an output that is read here, and no option does."""
_OF_THE_CALLER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE")
"""Set where git itself runs us, in a hook: they would lead to another repository than the folder's."""
_USER_INFO = re.compile(r"(?<=://)[^/\s@]+@")


class GitError(Exception):
    """Git cannot say what was asked; the text is for users."""


@dataclass(frozen=True)
class Answer:
    """How a call ended."""

    code: int
    output: bytes
    error: str

    @property
    def text(self) -> str:
        """The output as text, without the line break at its end."""
        return os.fsdecode(self.output).rstrip("\n")

    @property
    def fields(self) -> list[str]:
        """The output of a command that ends each field with a zero byte."""
        return os.fsdecode(self.output).split("\0")[:-1]


def ask(folder: Path, *arguments: str, given: bytes = b"") -> Answer:
    """Run `git` in a folder, whatever its exit code.

    Args:
        given: what it reads from its standard input.

    Raises:
        GitError: there is no git, or it took too long.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_THE_CALLER}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder.absolute()), *_SETTINGS, *arguments],
            env={**inherited, **_ENVIRONMENT},
            input=given,
            capture_output=True,
            timeout=SECONDS,
        )
    except FileNotFoundError:
        raise GitError("the program `git` was not found; install it, or put it on PATH") from None
    except PermissionError:
        raise GitError("the program `git` may not be run by this user") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"`git {arguments[0]}` took longer than {SECONDS} s and was ended") from None
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


def tell(folder: Path, *arguments: str, given: bytes = b"") -> Answer:
    """Run `git` in a folder.

    Raises:
        GitError: as for `ask`, or git has refused.
    """
    answer = ask(folder, *arguments, given=given)
    if answer.code != 0:
        raise refusal(arguments[0], answer)
    return answer


def refusal(command: str, answer: Answer) -> GitError:
    """What git said against it, without the name and password of an address."""
    lines = [line for line in answer.error.splitlines() if line.strip()] or [f"exit code {answer.code}"]
    said = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0])
    said = _USER_INFO.sub("***@", said.partition(": ")[2] or said)
    return GitError(f"`git {command}` failed: {said}")
