"""The only MCP client of the assistant: connects, pins, calls, and is the only maker of Evidence.

It may not know what a tool is about, diagnose, or keep anything: what it saw goes to the `keep`
function it is given. Nothing here raises at a caller because a server misbehaves.
"""

from assistant.toolbox.box import Toolbox
from assistant.toolbox.inspection import ServerReport, check, inspect, lock
from assistant.toolbox.pins import Difference, Lockfile, read_lockfile, write_lockfile
from assistant.toolbox.question import Call, CallEvent, Session

__all__ = [
    "Call",
    "CallEvent",
    "Difference",
    "Lockfile",
    "ServerReport",
    "Session",
    "Toolbox",
    "check",
    "inspect",
    "lock",
    "read_lockfile",
    "write_lockfile",
]
