"""What looks like a credential: so that no message and no quoted line shows one."""

import re
from difflib import get_close_matches
from functools import lru_cache

CREDENTIAL_WORD = "pass|pwd|secret|token|webhook|credential|api_?key|private"
"""A pattern for what the name of a credential holds, in lower case."""
_CREDENTIAL = re.compile(CREDENTIAL_WORD)
_CREDENTIAL_WORDS = ("password", "passwd", "secret", "token", "webhook", "credential", "apikey", "private")
CREDENTIAL_VALUE = re.compile(
    r"xox[a-z]-|hooks\.slack\.com/services/|AKIA[0-9A-Z]{16}|-----BEGIN|://[^/\s:@]*:[^/\s@]+@"
)
"""Text that is a credential whatever its key is called."""


@lru_cache(maxsize=1024)
def looks_like_credential(key: str) -> bool:
    """Whether a key names a password, a token or the like, also when it is misspelt (`passwrod`)."""
    folded = key.lower().replace("-", "_")
    parts = {*folded.split("_"), folded.replace("_", "")}
    near = (get_close_matches(part[:40], _CREDENTIAL_WORDS, n=1, cutoff=0.8) for part in parts)
    return bool(_CREDENTIAL.search(folded)) or any(near)
