"""Addresses of git repositories, in one spelling: a remote is the same over ssh and over https."""

import re

_WITH_SCHEME = re.compile(r"(?i)(?P<scheme>[a-z][a-z+.-]*)://(?:[^/@]*@)?(?P<host>[^/]*)(?P<path>/.*|)")
_LIKE_SCP = re.compile(r"(?:[^/@:]+@)?(?P<host>[^/@:]+):(?P<path>.+)")
_PORT = re.compile(r":(22|80|443|9418)$")


def normalised(url: str) -> str:
    """`host/path`, without scheme, user, usual port and `.git`; a path of this machine stays one."""
    url = url.strip()
    found = _WITH_SCHEME.fullmatch(url) or _LIKE_SCP.fullmatch(url)
    if not found:
        return _bare(url)
    host = _PORT.sub("", found["host"].lower())
    return _bare(f"{host}/{found['path'].lstrip('/')}" if host else found["path"])


def _bare(path: str) -> str:
    return path.rstrip("/").removesuffix(".git").rstrip("/")
