"""The shapes of secrets in text, each with the telltale that must occur before it is searched."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from mcp_servers.guard.secret_names import MARKER, is_secret_name, is_secret_value
from mcp_servers.guard.secret_pairs import hide_pairs

SEPARATOR = "\x00"
"""Stands between the strings that are searched together; no cleaned string holds it."""

_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u00[0-9a-f]{2}))"
"""A word begins here, also behind the escaped line break of a JSON text."""
_INSIDE = re.compile(r"(?<!\\)[\w.:+/-]\Z|\\[^bfnrt]\Z")
_BRAND = re.compile(r"4|5[1-5]|2[2-7]|6011|65|35|3[47]\d{13}$")
_UNITS = frozenset({"service", "socket", "target", "timer", "mount", "slice", "scope", "svc"})
_NOT_PEOPLE = frozenset({"git", "hg", "svn"})


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of secret. `telltales` are lower case; one of them must be in the lowered text."""

    telltales: tuple[str, ...]
    expression: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]


def scan(text: str) -> str:
    """`text` without the secrets that can be told by their shape. Scanning twice changes nothing."""
    lowered = text.lower()
    for pattern in _PATTERNS:
        if any(telltale in lowered for telltale in pattern.telltales):
            text = pattern.expression.sub(pattern.replace, text)
    return hide_pairs(text)


def _always(kind: str) -> Callable[[re.Match[str]], str]:
    marker = f"{MARKER}:{kind}]"

    def replace(_: re.Match[str]) -> str:
        return marker

    return replace


def _keep_before(kind: str) -> Callable[[re.Match[str]], str]:
    """Replace what the group `secret` holds; the rest of the match stays."""

    def replace(match: re.Match[str]) -> str:
        secret = match["secret"]
        if not is_secret_value(secret):
            return match[0]
        start, end = match.span("secret")
        whole, offset = match[0], match.start()
        return f"{whole[: start - offset]}{MARKER}:{kind}]{whole[end - offset :]}"

    return replace


def _flag(match: re.Match[str]) -> str:
    """`--password …`, when the flag's name says so."""
    return _keep_before("flag")(match) if is_secret_name(match["name"]) else match[0]


def _basic(match: re.Match[str]) -> str:
    try:
        plain = base64.b64decode(match["secret"], validate=True)
    except (binascii.Error, ValueError):
        return match[0]
    return f"{match['scheme']}{MARKER}:basic]" if b":" in plain else match[0]


def _email(match: re.Match[str]) -> str:
    local, domain = match[0].rsplit("@", 1)
    if local in _NOT_PEOPLE or domain.rsplit(".", 1)[-1] in _UNITS:
        return match[0]
    return f"{MARKER}:email]"


def _card(match: re.Match[str]) -> str:
    """A number of a card brand whose check digit is right, and that is no part of a longer one."""
    before = match.string[max(0, match.start() - 2) : match.start()]
    text = re.sub(r"\D", "", match[0])
    digits = [int(digit) for digit in text]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    wrong = (sum(digits[-1::-2]) + sum(doubled)) % 10
    if wrong or _INSIDE.search(before) or not _BRAND.match(text):
        return match[0]
    return f"{MARKER}:card]"


_TOKENS = (
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"
    r"|AIza[\w-]{35}|ya29\.[\w.-]{20,}|GOCSPX-[\w-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{22,}"
    r"|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat)-[\w-]{20,}"
    r"|xox[a-z]-[\w-]{10,}|xapp-\d-[\w-]{10,}"
    r"|[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}"
    r"|sk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}"
    r"|pypi-[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,}|do[opr]_v1_[a-f0-9]{64}|hv[sbr]\.[\w-]{20,}"
    r"|[\w~.-]{3}\dQ~[\w~.-]{31,34}"
)
_TOKEN_TELLTALES = (
    "eyj", "akia", "asia", "aiza", "ya29.", "gocspx-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
    "github_pat_", "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-",
    "glsoat-", "xox", "xapp-", "k_live_", "k_test_", "whsec_", "sk-", "hf_", "npm_", "pypi-",
    "sg.", "do_v1", "doo_v1", "dop_v1", "dor_v1", "hvs.", "hvb.", "hvr.", "q~",
)  # fmt: skip
_PATTERNS = (
    Pattern(
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
            r"[^\x00]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|(?=\x00)|\Z)"
        ),
        _always("private-key"),
    ),
    Pattern(_TOKEN_TELLTALES, re.compile(rf"{_START}(?:{_TOKENS})"), _always("token")),
    Pattern(
        ("hooks.slack.com",),
        re.compile(r"hooks\.slack\.com/(?P<secret>(?:services|workflows|triggers)/[\w/-]+)"),
        _keep_before("token"),
    ),
    Pattern(
        ("://",),
        re.compile(r"://[^\s/?#:@\"'\x00\[\]]*:(?P<secret>[^\s/?#\"'\\\x00]+)@"),
        _keep_before("password"),
    ),
    Pattern(
        ("authorization",),
        re.compile(
            r"authorization[\\\"']*\s*[:=]\s*[\\\"']*(?P<scheme>(?:bearer|basic|digest|token)\s+)?"
            r"(?P<secret>[^\s\"'\\\x00,;]+(?:=[^\s\x00]*)?)",
            re.IGNORECASE,
        ),
        _keep_before("authorization"),
    ),
    Pattern(
        ("bearer",),
        re.compile(
            _START + r"bearer\s+(?P<secret>(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}|[\w.~+/=-]{32,})",
            re.IGNORECASE,
        ),
        _keep_before("bearer"),
    ),
    Pattern(
        ("basic",),
        re.compile(
            _START + r"(?P<scheme>basic\s+)(?P<secret>[A-Za-z0-9+/]{6,}={0,2})", re.IGNORECASE
        ),
        _basic,
    ),
    Pattern(
        ("cookie:",),
        re.compile(_START + r"(?:set-)?cookie:\s*(?P<secret>[^\n\x00\"]+)", re.IGNORECASE),
        _keep_before("cookie"),
    ),
    Pattern(
        ("sig=",),
        re.compile(r"[?&]sig=(?P<secret>[\w%+/=-]{16,})", re.IGNORECASE),
        _keep_before("signature"),
    ),
    Pattern(
        ("--",),
        re.compile(
            _START + r"--(?P<name>[A-Za-z][\w-]{1,40})[ ]+[\"']?"
            r"(?P<secret>[^\s\"'\x00-][^\s\"'\x00]*)"
        ),
        _flag,
    ),
    Pattern(
        ("@",),
        re.compile(
            r"(?<![\w.+%/:@-])[A-Za-z0-9][\w.+%-]{0,63}@"
            r"[A-Za-z0-9](?:[A-Za-z0-9-]*\.)+[A-Za-z]{2,24}(?![\w@-])"
            r"(?!(?:\.[A-Za-z0-9-]+)+_)"  # `db@host.example.com_Database`: a name that goes on
        ),
        _email,
    ),
    Pattern(
        ("2", "3", "4", "5", "6"),
        re.compile(r"[2-6]\d{3}([ -]?)(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{5})(?![\w.:-])"),
        _card,
    ),
)
