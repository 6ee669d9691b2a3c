"""Our own confirmed incident reports: `<home>/confirmed/*.md`, one Markdown file for each incident.

The assistant writes such a file when a person confirms what a report found. Its front matter has
`title`, `services`, `alerts` and `last_reviewed`; the file's name is the incident's id.
"""

from __future__ import annotations

from pathlib import Path

from ingest.sources.folder import Folder

CONFIRMED = "confirmed"


def incidents(name: str, home: Path, url: str = "") -> Folder:
    """The confirmed incidents under the assistant's home. There may be none yet."""
    return Folder(name, home / CONFIRMED, url, may_be_empty=True)
