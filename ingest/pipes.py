"""Commands that run what nobody has read: a download, or a decoded text, piped into a shell. Pure."""

from __future__ import annotations

import re

# What fetches or unpacks, and what runs its input. Interpreters that are given a program of their
# own (`| python -m json.tool`, `| perl -ne …`) only read the download as data.
FETCH = re.compile(
    r"\b(?:curl|wget|fetch|aria2c|lwp-request|http|https|nc|ncat)\s+\S"
    r"|\bbase64\s+(?:-d|-D|--decode)\b|\bbase32\s+-d|\bxxd\s+-\w*r|\bopenssl\s+\S+[^|\n]{0,80}\s-d\b",
    re.IGNORECASE,
)
WRAPPERS = (
    r"(?:(?:sudo|doas|env|exec|nohup|command|time)\s+(?:-{1,2}[\w=-]+\s+|\w+=\S*\s+){0,4}){0,3}"
)
SHELLS = r"(?:/(?:usr/)?(?:local/)?s?bin/)?(?:ba|z|da|k|a|fi|c|tc)?sh\b(?![\w./-]*=)(?!\s+-c\b)(?![.\w-])"
INTERPRETERS = (
    r"(?:python[\d.]*|perl|ruby|node|php|lua)(?:\s+-)?[ \t]*(?=$|[;&|)\"'`#]|<<<)(?!\s*-[a-z])"
)
INTO_SHELL = re.compile(
    rf"\|&?\s*{WRAPPERS}(?:{SHELLS}|{INTERPRETERS}|source\s+/dev/stdin|\.\s+/dev/stdin)"
    r"|\|\s*xargs\s[^|\n]{0,60}?\b(?:ba|z)?sh\s+-c\b",
    re.IGNORECASE | re.MULTILINE,
)
SUBSTITUTED = re.compile(
    r"\b(?:(?:ba|z|da|k)?sh|eval|source|exec|python[\d.]*|perl|ruby|node|php)\b"
    r"(?:\s+-\w+){0,3}\s*(?:<\s*)?[\"']?\s*(?:<\(|\$\(|`)\s*(?:sudo\s+)?(?:curl|wget|fetch)\b"
    r"|(?:^|[;&|\s])\.\s+<\(\s*(?:curl|wget)\b",
    re.IGNORECASE | re.MULTILINE,
)
POWERSHELL = re.compile(
    r"\b(?:iwr|irm|curl|wget|Invoke-WebRequest|Invoke-RestMethod|DownloadString)\b"
    r"[^|\n]{0,300}\|\s*(?:iex|Invoke-Expression)\b"
    r"|\b(?:iex|Invoke-Expression)\b[\s&(\"'$]{0,10}"
    r"(?:iwr|irm|Invoke-WebRequest|Invoke-RestMethod|New-Object\s+(?:System\.)?Net\.WebClient)\b"
    r"|\bpowershell[^\n]{0,40}\s-e(?:nc|ncodedcommand)?\s+[A-Za-z0-9+/=]{16}",
    re.IGNORECASE,
)


def runs_unread_code(text: str) -> bool:
    """Whether a command of the text runs a download or a decoded text that nobody could read first."""
    joined = text.replace("\\\n", " ").replace("|\n", "| ")
    if SUBSTITUTED.search(joined) or POWERSHELL.search(joined):
        return True
    return any(_piped(line) for line in joined.split("\n"))


def _piped(line: str) -> bool:
    """Whether what a line fetches reaches a shell further along it."""
    fetch = FETCH.search(line) if "|" in line else None
    return fetch is not None and INTO_SHELL.search(line, fetch.end()) is not None
