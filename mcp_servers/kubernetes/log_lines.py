"""A stream of log bytes made into few, bounded lines, whatever it holds. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from mcp_servers.kubernetes.models import LogLine

LINE_CHARACTERS = 2_000
# One character takes at most four bytes, and the time in front of a line less than fifty.
LINE_BYTES = 4 * LINE_CHARACTERS + 50
ERRORS_SHOWN = 20
# As JSON. With the envelope it stays under the guard's cap, which cuts a list from its end: of a
# log that would be the newest lines.
EXCERPT_BYTES = 200_000
TIMED = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?(.*)", re.DOTALL
)
ERROR = re.compile(
    r"""\b(?:errors?|err|fatal|panic|critical|severe|traceback|failed|failure|failing|denied|refused
    |rejected|time[d-]?\ ?out|cannot|could\ not|couldn't|unable|no\ such|not\ found|unhealthy|killed
    |oom|out\ of\ memory|unauthorized|forbidden|x509|expired|aborted|unreachable|unavailable
    |no\ space\ left|no\ route|broken\ pipe|segmentation\ fault|exit(?:ed)?\ (?:code|status))\b
    |(?:exception|error)\b|^[EF]\d{4}\ |["\s=](?:status|code)["=:\s]+5\d\d\b""",
    re.IGNORECASE | re.VERBOSE,
)
INNOCENT = re.compile(
    r"""\b(?:no|0|zero|without)\ (?:errors?|failures?)\b|\berr(?:or)?s?["']?\s*[=:]\s*
    (?:0\b|nil\b|null\b|none\b|false\b|""|'')|\b(?:failed|failures?|errors?)["']?\s*[=:]\s*0\b
    |\bnot\ failed\b""",
    re.IGNORECASE | re.VERBOSE,
)
CALM = re.compile(
    r"""\blevel["']?\s*[=:]\s*["']?(?:debug|trace)\b|^\s*(?:DEBUG|TRACE)\b""", re.IGNORECASE
)
VARYING = re.compile(r"[0-9a-f]{8,}|\d+", re.IGNORECASE)


KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY")
KEY_BODY = re.compile(r"\s*[A-Za-z0-9+/=]+\s*|[A-Z][A-Za-z-]+: \S.*")
LONGEST_KEY = 150


@dataclass(slots=True)
class Excerpt:
    """What is shown of a log, out of how many lines."""

    errors: list[LogLine]
    tail: list[LogLine]
    read: int
    matched: int


def excerpt(chunks: Iterable[bytes], tail_lines: int, grep: str) -> Excerpt:
    """The last lines that match `grep`, and the distinct error-looking ones of all that match."""
    wanted = matcher(grep)
    tail: deque[LogLine] = deque(maxlen=tail_lines)
    errors: dict[str, LogLine] = {}
    read = matched = 0
    keys = PrivateKeys()
    for raw in lines_of(chunks):
        read += 1
        line = timed(raw)
        if keys.hold(line.text, tail) or not wanted(line.text):
            continue
        matched += 1
        tail.append(line)
        if looks_like_error(line.text):
            _remember(errors, line)
    shown = _newest(errors.values(), EXCERPT_BYTES // 2)
    return Excerpt(shown, _newest(tail, EXCERPT_BYTES - _bytes(shown)), read, matched)


@dataclass(slots=True)
class PrivateKeys:
    """Leaves out the lines of a private key behind its first one. The guard hides a key by its frame,
    and does not see one that is spread over lines.
    """

    left: int = 0
    """Lines that the key which has begun may still have."""

    def hold(self, text: str, before: deque[LogLine]) -> bool:
        """Whether a line belongs to a key. One whose beginning was not read takes `before` with it."""
        if KEY_ENDS.search(text):
            stray, self.left = not self.left and not KEY_BEGINS.search(text), 0
            while stray and before and KEY_BODY.fullmatch(before[-1].text):
                before.pop()
        elif KEY_BEGINS.search(text):
            self.left = LONGEST_KEY
        elif self.left:
            self.left -= 1
            return KEY_BODY.fullmatch(text) is not None
        return False


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines, each cut at 2,000 characters with a marker, however long they are."""
    kept, length = b"", 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        kept, length = _grown(kept, length, first)
        for other in others:
            yield _line(kept, length)
            kept, length = other[:LINE_BYTES], len(other)
    if length:
        yield _line(kept, length)


def _grown(kept: bytes, length: int, more: bytes) -> tuple[bytes, int]:
    room = LINE_BYTES - len(kept)
    return (kept + more[:room] if room > 0 else kept), length + len(more)


def _line(kept: bytes, length: int) -> str:
    text = kept.decode(errors="replace").rstrip("\r")
    if length <= LINE_BYTES and len(text) <= LINE_CHARACTERS:
        return text
    return f"{text[:LINE_CHARACTERS]} […line of {length} bytes was cut]"


def timed(line: str) -> LogLine:
    """A line apart from the time that the kubelet wrote in front of it."""
    match = TIMED.fullmatch(line)
    return LogLine(time=match[1], text=match[2]) if match else LogLine(time="", text=line)


def matcher(grep: str) -> Callable[[str], bool]:
    """Whether a line holds one of the `|`-separated texts, in any case. Empty matches all."""
    parts = [part.lower() for part in grep.split("|") if part]
    if not parts:
        return lambda _: True
    return lambda text: any(part in text.lower() for part in parts)


def looks_like_error(text: str) -> bool:
    """Whether a line reads like trouble; a courtesy to the reader, not a verdict."""
    return not CALM.search(text) and bool(ERROR.search(INNOCENT.sub("", text)))


def _newest(lines: Collection[LogLine], room: int) -> list[LogLine]:
    """As many of the last lines as there is room for, oldest first; at least one."""
    every = list(lines)
    sizes = accumulate(_bytes([line]) for line in reversed(every))
    fitting = sum(size <= room for size in sizes)
    return every[-max(fitting, 1) :]


def _bytes(lines: Iterable[LogLine]) -> int:
    return sum(len(line.model_dump_json().encode()) + 1 for line in lines)


def _remember(errors: dict[str, LogLine], line: LogLine) -> None:
    """Keep the first line of each pattern; of too many patterns the newest stay."""
    pattern = VARYING.sub("#", line.text)[:300]
    if pattern in errors:
        return
    if len(errors) == ERRORS_SHOWN:
        del errors[next(iter(errors))]
    errors[pattern] = line
