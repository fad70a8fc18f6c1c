"""What looks like a credential: so that no message and no quoted line shows one."""

import re
from collections import Counter
from difflib import get_close_matches
from functools import lru_cache
from math import log2

CREDENTIAL_WORD = "pass|pwd|secret|token|webhook|credential|api_?key|private"
"""A pattern for what the name of a credential holds, in lower case."""
_CREDENTIAL = re.compile(CREDENTIAL_WORD)
_CREDENTIAL_WORDS = ("password", "passwd", "secret", "token", "webhook", "credential", "apikey", "private")
KINDS = {
    "a token of GitHub": r"\bgh[opsur]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{22,}",
    "a token of GitLab": r"\bglpat-[\w-]{20,}",
    "a token of Slack": r"\bxox[abeoprs]-[\w-]{10,}",
    "a webhook of Slack": r"hooks\.slack\.com/services/\w+/\w+/\w+",
    "an access key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a key of Google": r"\bAIza[\w-]{35}",
    "a key of Stripe": r"\b[rs]k_live_[0-9A-Za-z]{20,}",
    "a token of npm": r"\bnpm_[A-Za-z0-9]{36}",
    "a token of PyPI": r"\bpypi-AgE[\w-]{50,}",
    "a key of SendGrid": r"\bSG\.[\w-]{22}\.[\w-]{43}",
    "a key of Prefect": r"\bpn[ub]_[A-Za-z0-9]{30,}",
    "a token of Databricks": r"\bdapi[0-9a-f]{32}",
    "a token of Hugging Face": r"\bhf_[A-Za-z0-9]{34,}",
    "a signed token (JWT)": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "an address with a password": r"://[^/\s:@$]*:[^/\s@$<{*]+@",
    "a password": r"(?i)(?<!\S)--?(?:password|passwd|passphrase)[= ](?P<value>[^\s\"'$<-]\S*)",
}
"""Patterns of what is a credential whatever its key is called, by what people call it."""
CREDENTIAL_VALUE = re.compile(
    r"xox[a-z]-|hooks\.slack\.com/services/|-----BEGIN|://[^/\s:@]*:[^/\s@]+@|"
    + "|".join(pattern.removeprefix("(?i)").replace("?P<value>", "?:") for pattern in KINDS.values())
)
"""Text that is a credential, or may be one."""
_WORD = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_IS_NO_KEY = re.compile(r";base64,$")
"""What stands before content that is part of a page."""
_BEGINNINGS = (
    "iVBORw0KGgo",
    "/9j/",
    "R0lGOD",
    "PHN2Zy",
    "PD94bWw",
    "JVBERi0",
    "UEsDB",
    "d09GM",
    "sha256-",
    "sha384-",
    "sha512-",
)
_BITS_AT_LEAST = 4.3
"""Shannon entropy per character: words and names have less, random letters and digits more."""


def random_words(text: str) -> list[re.Match[str]]:
    """The stretches of a text that are so random that they are probably keys."""
    words = (word for word in _WORD.finditer(text) if not _IS_NO_KEY.search(text, 0, word.start()))
    return [word for word in words if _is_mixed(word[0]) and not _is_content(word[0]) and _is_random(word[0])]


def _is_random(word: str) -> bool:
    return _entropy(word) >= _BITS_AT_LEAST


def _is_content(word: str) -> bool:
    """Whether it is a picture, a font or a document in Base64, or a hash that says itself what it is."""
    return word.startswith(_BEGINNINGS)


def _is_mixed(word: str) -> bool:
    return all(re.search(kind, word) for kind in ("[a-z]", "[A-Z]", "[0-9]"))


def _entropy(word: str) -> float:
    shares = [count / len(word) for count in Counter(word).values()]
    return -sum(share * log2(share) for share in shares)


@lru_cache(maxsize=1024)
def looks_like_credential(key: str) -> bool:
    """Whether a key names a password, a token or the like, also when it is misspelt (`passwrod`)."""
    folded = key.lower().replace("-", "_")
    parts = {*folded.split("_"), folded.replace("_", "")}
    near = (get_close_matches(part[:40], _CREDENTIAL_WORDS, n=1, cutoff=0.8) for part in parts)
    return bool(_CREDENTIAL.search(folded)) or any(near)
