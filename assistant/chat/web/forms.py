"""What a browser sends: a few fields of text, no longer than is wanted."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_FIELDS = 10
BYTES_A_CHARACTER = 9
"""One character may take three bytes, each written with three signs."""


async def fields(request: Request, most: int) -> Mapping[str, str]:
    """The fields, of which none is a file and none longer than `most`. Raises HTTPException."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411, "How long that is was not said: nothing was done.")
    if int(length) > BYTES_A_CHARACTER * most:
        raise _too_long(most)
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        # Browsers end each line of a form as the Internet did in 1982.
        found = {
            name: value.replace("\r\n", "\n")
            for name, value in form.items()
            if isinstance(value, str)
        }
    if any(len(value) > most for value in found.values()):
        raise _too_long(most)
    return found


def _too_long(most: int) -> HTTPException:
    return HTTPException(413, f"That is more than {most} characters: nothing was asked.")
