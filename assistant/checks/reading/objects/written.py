"""When an object was last written by somebody, as far as its metadata tells."""

from __future__ import annotations

from datetime import datetime

from assistant.snapshot import Object, dig, listing, moment


def last_written(item: Object) -> datetime | None:
    """The later of its creation and the last write of its spec that the API server remembers."""
    times = [
        item.created,
        *(moment(dig(row, "at")) for row in listing(item.raw, "metadata", "lastWrites")),
    ]
    return max((at for at in times if at), default=None)
