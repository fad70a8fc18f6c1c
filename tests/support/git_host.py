"""A git repository to pull specs from: in a folder, or behind HTTP with a login. The same pushes give the same shas."""

import base64
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.certificate import Certificate
from support.serving import serving

_BEGINNING = 1_775_000_000  # seconds since 1970; each commit is a minute later than the one before it
_ENVIRON = {
    "GIT_AUTHOR_NAME": "A Developer",
    "GIT_AUTHOR_EMAIL": "developer@example.org",
    "GIT_COMMITTER_NAME": "A Developer",
    "GIT_COMMITTER_EMAIL": "developer@example.org",
    # Nothing of whoever runs the tests.
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
_SETTINGS = {
    # As the well-known hosts of git have them.
    "uploadpack.allowFilter": "true",
    "uploadpack.allowReachableSHA1InWant": "true",
    "core.autocrlf": "false",
}


def git(*arguments: str, folder: Path, stdin: str = "", **environ: str) -> str:
    """What a command of git prints, without the settings of this machine and user."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **_ENVIRON, **environ},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


@dataclass(frozen=True)
class GitHost:
    """A bare repository as a host of git keeps it: every commit can be fetched by its sha, also without the files.

    Attributes:
        repository: its folder.
    """

    repository: Path

    @property
    def url(self) -> str:
        return self.repository.as_uri()

    def push(self, files: Mapping[str, str | None], branch: str = "main", message: str = "A change") -> str:
        """Commit files on top of a branch; the commit's sha. A new branch begins where main is.

        Args:
            files: the contents by path; None removes a file, and the others of the branch stay.
        """
        parent = self._tip(branch)
        with _index() as index:
            if parent:
                self.git("read-tree", parent, **index)
            for path, text in files.items():
                self._put(path, text, index)
            return self._commit(branch, parent, message, index)

    def push_folder(self, folder: Path, branch: str = "main", message: str = "A change") -> str:
        """Commit a folder as it is, without what its .gitignore names: the branch then has nothing else. The sha."""
        with _index() as index:
            git(f"--git-dir={self.repository}", "--work-tree=.", "add", "--all", ".", folder=folder, **index)
            return self._commit(branch, self._tip(branch), message, index)

    def point(self, branch: str, commit: str) -> str:
        """Let a branch be at a commit, or where another branch is, wherever it has been before; the sha."""
        sha = self.sha(commit)
        self.git("update-ref", f"refs/heads/{branch}", sha)
        return sha

    def sha(self, commit: str) -> str:
        return self.git("rev-parse", "--verify", f"{commit}^{{commit}}")

    def git(self, *arguments: str, stdin: str = "", **environ: str) -> str:
        """What a command of git about this repository prints."""
        return git(*arguments, folder=self.repository, stdin=stdin, **environ)

    def _tip(self, branch: str) -> str:
        listed = self.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").splitlines()
        tips = dict(line.split() for line in listed)
        return tips.get(branch, tips.get("main", ""))

    def _put(self, path: str, text: str | None, index: Mapping[str, str]) -> None:
        """Into the index; mode 0 takes it out."""
        entry = f"0 {'0' * 40}" if text is None else f"100644 {self.git('hash-object', '-w', '--stdin', stdin=text)}"
        self.git("update-index", "--index-info", stdin=f"{entry}\t{path}\n", **index)

    def _commit(self, branch: str, parent: str, message: str, index: Mapping[str, str]) -> str:
        tree = self.git("write-tree", **index)
        number = len(self.git("rev-list", parent).split()) if parent else 0
        when = f"{_BEGINNING + 60 * number} +0000"
        dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        parents = ["-p", parent] if parent else []
        return self.point(branch, self.git("commit-tree", *parents, "-m", message, tree, **dates))


def git_host(folder: Path, files: Mapping[str, str | None], name: str = "specs") -> GitHost:
    """A new repository in a folder, with one commit at which both branches are, `main` and `production`."""
    repository = folder / f"{name}.git"
    git("init", "--quiet", "--bare", "--initial-branch=main", str(repository), folder=folder)
    host = GitHost(repository)
    for key, value in _SETTINGS.items():
        host.git("config", key, value)
    host.push(files, message="The beginning")
    host.point("production", "main")
    return host


@contextmanager
def _index() -> Iterator[Mapping[str, str]]:
    """The variable that names an index of its own for one commit."""
    with tempfile.TemporaryDirectory() as folder:
        yield {"GIT_INDEX_FILE": str(Path(folder) / "index")}


@dataclass
class GitServer:
    """A repository behind HTTP.

    Attributes:
        url: without the login.
        requests: method and path of each request that was let in.
        refused: how many requests came without the login; git's first one always does.
    """

    url: str
    requests: list[str] = field(default_factory=list)
    refused: int = 0


@contextmanager
def served(
    host: GitHost, user: str = "", token: str = "", certificate: Certificate | None = None
) -> Iterator[GitServer]:
    """Serve a repository for reading, on a port of the loopback address.

    Args:
        user, token: what basic authentication has to give; without them, everybody may read.
        certificate: for https, without which Prefect sends no login; clients trust it by `GIT_SSL_CAINFO`.
    """
    listening = _Server(("127.0.0.1", 0), _Handler)
    if certificate:
        # The handshake is for the thread of the connection.
        context = certificate.context()
        listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "https" if certificate else "http"
    listening.state = GitServer(f"{scheme}://127.0.0.1:{listening.server_port}/{host.repository.name}")
    listening.root = host.repository.parent
    listening.login = _basic(user, token) if user or token else ""
    with serving(listening):
        yield listening.state


def _basic(user: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    state: GitServer
    root: Path
    login: str


class _Handler(BaseHTTPRequestHandler):
    """Hands requests to `git http-backend`, which is a CGI program."""

    protocol_version = "HTTP/1.1"  # whose answers have a length: clients do not take the end of the line for it
    server: _Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.server.login and self.headers.get("authorization") != self.server.login:
            self.server.state.refused += 1
            self.send_response(401)
            self.send_header("www-authenticate", 'Basic realm="git"')
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.server.state.requests.append(f"{self.command} {self.path}")
        self._pass_on(subprocess.run(["git", "http-backend"], env=self._environ(), input=body, capture_output=True))

    do_POST = do_GET

    def _environ(self) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        named = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
        named |= {"HTTP_CONTENT_ENCODING": "content-encoding", "GIT_PROTOCOL": "git-protocol"}
        return {
            **os.environ,
            **_ENVIRON,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            **{variable: self.headers.get(name, "") for variable, name in named.items()},
        }

    def _pass_on(self, done: "subprocess.CompletedProcess[bytes]") -> None:
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
