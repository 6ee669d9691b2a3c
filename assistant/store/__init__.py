"""Keeps what outlives a triage in SQLite; duty and chat keep files of their own, made the same way.

It may not know where evidence comes from or how a report is made. Several processes may use one
database: writes wait for each other, and a process that is killed leaves all it had kept.
"""

from assistant.store.files import connected, failures, new_file
from assistant.store.gaps import Gap, GapKind
from assistant.store.incidents import Filter, Progress, Store, Triage
from assistant.store.tables import MIGRATIONS

__all__ = [
    "MIGRATIONS",
    "Filter",
    "Gap",
    "GapKind",
    "Progress",
    "Store",
    "Triage",
    "connected",
    "failures",
    "new_file",
]
